"""The tools of a language model: every command is in one, their schemas say what the commands take, errors help."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ontogeny.isa.errors import OntogenyError
from ontogeny.steer.command import Effect
from ontogeny.steer.registry import BY_NAME as COMMANDS
from ontogeny.steer.session import Session
from ontogeny.steer.tools import BY_NAME, TOOLS, WITHHELD, Tool, tool_of
from tests.small import begin


def test_every_command_is_in_one_tool() -> None:
    reachable = [name for tool in TOOLS for name in tool.names]
    assert sorted(reachable) == sorted(COMMANDS), "a command is in no tool, or in two: see TOOLS in steer/tools.py"
    assert len(TOOLS) <= 10  # two more are the faces' own: a dozen is what a model keeps apart


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_every_argument_of_a_command_is_in_its_tools_schema_with_its_type(tool: Tool) -> None:
    properties = tool.schema["properties"]
    for kind in tool.commands.values():
        own = kind.model_json_schema()["properties"]
        for name in kind.model_fields:
            if (kind.NAME, name) in WITHHELD:
                assert name not in properties
                continue
            types = {own[name].get("type")} | {one["type"] for one in own[name].get("anyOf", ())}
            assert properties[name]["type"] in types, f"{kind.NAME} {name} has another type in {tool.name}"
            assert properties[name]["description"]
    json.dumps(tool.schema)


def test_what_is_withheld_are_arguments_of_commands() -> None:
    assert all(name in COMMANDS[command].model_fields for command, name in WITHHELD)


def test_hints_are_the_effects_of_the_commands() -> None:
    for tool in TOOLS:
        effects = {kind.EFFECT for kind in tool.commands.values()}
        assert tool.read_only == (effects == {Effect.ASKS})
        assert tool.destructive == (Effect.REMOVES in effects)
    assert [tool.name for tool in TOOLS if tool.destructive] == ["discard"]


def test_a_call_is_the_command(tmp_path: Path) -> None:
    begin(tmp_path / "one").close()
    session = Session(tmp_path, "one")
    session.do(BY_NAME["go"].command({"command": "run", "steps": 6, "until": None}))
    session.do(BY_NAME["change"].command({"command": "set", "dial": "learning rate", "by": 0.5}))
    session.do(BY_NAME["undo"].command({}))
    assert session.native().dials()["lr"] == 0.05
    assert tool_of("mark").name == "place"


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("change", {"command": "sett"}, "did you mean 'set'"),
        ("change", {}, "has no command ''; there are set"),
        ("change", {"command": "set", "dial": "lr", "too": 1}, "did you mean 'to'"),
        ("change", {"command": "set", "dial": "lr"}, "set: give either a value"),
        ("go", {"command": "pause", "steps": 3}, "pause takes no argument 'steps'; there are run"),
        ("data", {"command": "learn", "from_file": "/etc/passwd"}, "takes no argument 'from_file'"),
        ("go", {"command": "autopilot", "ray": "ray://elsewhere:10001"}, "takes no argument 'ray'"),
        ("data", {"command": "mix", "examples": "y=3", "share": 2}, "share"),
        ("undo", {"command": "undo"}, "takes no argument 'command'"),
    ],
)
def test_errors_say_what_is_near_and_what_there_is(tool: str, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(OntogenyError, match=said):
        BY_NAME[tool].command(arguments)
    with pytest.raises(OntogenyError, match="did you mean 'mark'"):
        tool_of("marc")
