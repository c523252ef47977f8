-- A role and a database for each service, which no other may enter; the password is the server's own, from its file.
\set password `cat /run/secrets/db/password`
CREATE ROLE orders LOGIN PASSWORD :'password';
CREATE DATABASE orders OWNER orders;
REVOKE CONNECT ON DATABASE orders FROM PUBLIC;
CREATE ROLE users LOGIN PASSWORD :'password';
CREATE DATABASE users OWNER users;
REVOKE CONNECT ON DATABASE users FROM PUBLIC;
CREATE ROLE inventory LOGIN PASSWORD :'password';
CREATE DATABASE inventory OWNER inventory;
REVOKE CONNECT ON DATABASE inventory FROM PUBLIC;
