"""Alembic's entry: runs the revisions beside this file on the connection that chassis.migrations hands over."""

from alembic import context

from chassis.migrations import run_environment
from user_service.models import Table

run_environment(context, Table.metadata)
