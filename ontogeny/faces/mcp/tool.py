"""A tool of steering as the SDK's servers offer it: its schema and hints from `steer/tools.py`, its call to a session.

What a call asks for is done once it may be: a question at once; a change once a person has agreed, through their client
where it can ask, else by a token of its preview; and without a word where the server was started for trusted clients.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Annotated, Any

from mcp.server.elicitation import AcceptedElicitation
from mcp.server.mcpserver import Context, Elicit, ElicitationResult, Resolve
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.resolve import resolve_arguments
from mcp.server.mcpserver.tools import Tool as SdkTool
from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase, FuncMetadata
from mcp_types import CallToolResult, InputRequiredResult, TextContent, ToolAnnotations
from pydantic import Field

from ontogeny.faces.mcp import answers
from ontogeny.faces.mcp.confirming import Consent
from ontogeny.faces.mcp.conversation import Conversation, Job
from ontogeny.faces.mcp.desk import Desk
from ontogeny.isa.errors import OntogenyError
from ontogeny.steer.command import Command
from ontogeny.steer.tools import Tool

PATIENCE = 25.0
"""Seconds that a call waits for its answer, before the work is left to go on as a job."""
TELL_EVERY = 0.2
"""Seconds between notifications of progress."""
CONFIRM, TOKEN = "confirm", "token"
CONFIRMING: dict[str, Any] = {
    CONFIRM: {"type": "boolean", "description": "the person agreed to the preview"},
    TOKEN: {"type": "string", "description": "from the preview of this very call"},
}


@dataclass(frozen=True, slots=True)
class Call:
    """A change that a client asks for: what it would do, and whether the person is to be asked through the client."""

    text: str
    asks: bool


async def consented(call: Any) -> Consent | Elicit[Consent]:
    """A person's consent to a call: given already, or to be asked for."""
    return Elicit(f"Shall this be done? {call.text}", Consent) if call.asks else Consent(agreed=True)


async def _asked(call: Any, consent: Annotated[ElicitationResult[Consent], Resolve(consented)]) -> None:
    """What the SDK reads off how a person is asked."""


class SteeringTool(SdkTool):
    """A tool whose calls are commands."""

    desk: Any = Field(exclude=True)
    of: Any = Field(exclude=True)

    async def run(
        self, arguments: dict[str, Any], context: Context[Any, Any], convert_result: bool = False
    ) -> CallToolResult | InputRequiredResult:
        """Does what a call asks for. Raises ToolError with what to do next."""
        try:
            said = {name: value for name, value in arguments.items() if name not in CONFIRMING or self.of.read_only}
            command = self.of.command(said)
            talk = self.desk.conversation(context)
            if command.EFFECT.confirmed and not self.desk.trusting:
                waits = await self._agreed(command, talk, arguments, context)
                if waits is not None:
                    return waits
            return await answered(talk, talk.take(command), context)
        except OntogenyError as error:
            raise ToolError(answers.cleaned(str(error))) from error

    async def _agreed(
        self, command: Command, talk: Conversation, arguments: Mapping[str, Any], context: Context[Any, Any]
    ) -> CallToolResult | InputRequiredResult | None:
        """None where a person agreed to a change; else what to answer instead of making it."""
        asking = can_ask(context)  # a person who can be asked is asked: a model cannot answer in their place
        if not asking and arguments.get(CONFIRM) is True and arguments.get(TOKEN):
            await waited(talk.redeem(command, str(arguments[TOKEN])))
            return None
        foretold, token = await waited(talk.shown(command) if asking else talk.foretell(command))
        if not foretold.changes:  # what would be taken back is a move, say
            return None
        if not asking:
            return result(
                {
                    **answers.of_preview(foretold),
                    TOKEN: token,
                    "next": "nothing was done yet: show this to the person, and if they agree call again with the same "
                    "arguments, confirm=true and this token",
                }
            )
        given = {"call": Call(answers.question(foretold), asks=True)}
        found = await resolve_arguments(self.resolved_params, self.resolver_plans, given, context)
        if isinstance(found, InputRequiredResult):
            return found
        consent = found["consent"]
        if isinstance(consent, AcceptedElicitation) and consent.data.agreed:
            await waited(talk.redeem(command, token))
            return None
        raise OntogenyError("nothing was done: the person did not agree; ask them what they want instead")


class Strict(SdkTool):
    """A tool of the SDK that takes no arguments but its own, and whose errors are told as they are."""

    async def run(
        self, arguments: dict[str, Any], context: Context[Any, Any], convert_result: bool = False
    ) -> CallToolResult | InputRequiredResult:
        """Calls it. Raises ToolError with what it takes."""
        there = self.parameters["properties"]
        if other := [name for name in arguments if name not in there]:
            raise ToolError(f"{self.name} takes no argument {answers.line(other[0])!r}; there are {', '.join(there)}")
        try:
            done: CallToolResult | InputRequiredResult = await super().run(arguments, context, convert_result)
        except ToolError as error:
            raise ToolError(str(error.__cause__ or error)) from error
        return done


def made(tool: Tool, desk: Desk) -> SteeringTool:
    """A tool of steering, ready to be offered."""
    base = SdkTool.from_function(_asked, name=tool.name, description=tool.description)
    schema = tool.schema
    if not tool.read_only:
        schema = {**schema, "properties": {**schema["properties"], **CONFIRMING}}
    return SteeringTool(
        **{**dict(base), "parameters": schema, "fn_metadata": metadata(), "annotations": hints(tool)},
        desk=desk,
        of=tool,
    )


def metadata() -> FuncMetadata:
    """How the SDK is to treat the arguments, which are checked here, and what the answer looks like."""
    return FuncMetadata(arg_model=ArgModelBase, output_schema=answers.SCHEMA)


def hints(tool: Tool) -> ToolAnnotations:
    """What a client may take a tool for before it is called."""
    return ToolAnnotations(
        read_only_hint=tool.read_only, destructive_hint=tool.destructive, idempotent_hint=None, open_world_hint=False
    )


def can_ask(context: Context[Any, Any]) -> bool:
    """Whether the client can put a question to its person."""
    known = context.client_capabilities
    asking = known.elicitation if known is not None else None
    return asking is not None and (asking.form is not None or asking.url is None)


async def waited(future: Future[Any]) -> Any:
    """What work on another thread returns."""
    return await asyncio.wrap_future(future)


async def answered(talk: Conversation, job: Job, context: Context[Any, Any]) -> CallToolResult:
    """The answer of a job, its progress told meanwhile; once patience has an end, by what name to ask for it."""
    ends, work = time.monotonic() + PATIENCE, asyncio.wrap_future(job.future)
    work.add_done_callback(lambda done: done.cancelled() or done.exception())  # a job keeps what went wrong
    while not job.future.done():
        try:
            await asyncio.wait([work], timeout=TELL_EVERY)
            if (job.taken or job.cost) and not job.future.done():
                said = f"{job.taken} steps" if job.taken else job.cost
                await context.report_progress(job.taken, job.steps or None, said)
        except asyncio.CancelledError:  # the client waits no longer; the work goes on
            talk.keep(job)
            raise
        if time.monotonic() > ends and not job.future.done():
            talk.keep(job)
            next_ = f"it goes on; ask for its answer with runs(job={job.id!r})"
            why = f" ({job.cost})" if job.cost else ""
            return result({"text": f"{job.what} takes longer{why}: {next_}", "job": job.id, "done": False})
    return result(answers.of_outcome(await work))


def result(document: Mapping[str, Any]) -> CallToolResult:
    """An answer, structured, and as text for clients that know none."""
    told = answers.bounded(document)
    return CallToolResult(content=[TextContent(type="text", text=answers.as_text(told))], structured_content=told)
