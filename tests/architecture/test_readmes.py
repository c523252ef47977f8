"""What a README promises exists: every setting is listed, every make target and file that it names is there."""

import ast
import re
from pathlib import Path


def fields(module: Path, *classes: str) -> set[str]:
    """Variables of the settings classes in a module."""
    tree = ast.parse(module.read_text())
    found = [node for node in tree.body if isinstance(node, ast.ClassDef) and (not classes or node.name in classes)]
    names = [item.target.id for node in found for item in node.body if isinstance(item, ast.AnnAssign)]
    return {name.upper() for name in names}


def test_every_setting_of_a_service_is_in_its_readme(root):
    chassis = root / "libs/chassis/src/chassis/settings.py"
    for settings in root.glob("services/*/src/*/settings.py"):
        shared = {"Settings", "DatabaseSettings"}
        if "TokenSettings" in settings.read_text():
            shared.add("TokenSettings")
        for name in ("KafkaSettings", "ConsumerSettings"):
            if name in settings.read_text():
                shared |= {"KafkaSettings", name}
        wanted = fields(settings) | fields(chassis, *shared)
        readme = (settings.parents[2] / "README.md").read_text()
        assert {name for name in wanted if f"`{name}`" not in readme} == set(), settings.parents[2].name


def test_every_target_and_file_that_the_readme_names_exists(root):
    text = (root / "README.md").read_text()
    targets = set(re.findall(r"^([a-z0-9-]+):", (root / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:`|^    )make ([a-z][a-z0-9-]*)", text, re.MULTILINE)) <= targets
    for path in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (root / path).exists(), path
