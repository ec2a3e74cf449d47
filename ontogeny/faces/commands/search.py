"""ontogeny search"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from ontogeny.evolve.fitness.judged import SECONDS
from ontogeny.evolve.methods.islands import Islands
from ontogeny.evolve.recording.lineage import lineage
from ontogeny.evolve.recording.recorded import RecordedSearch, record
from ontogeny.evolve.recording.setting import method_of, methods_of
from ontogeny.evolve.recording.turning import read, said
from ontogeny.evolve.recording.vector_targets import READY, Layers
from ontogeny.evolve.spaces import Netlists, Vectors
from ontogeny.evolve.workers import working
from ontogeny.faces.experiments import pairs
from ontogeny.faces.outputs import SPELT, place
from ontogeny.faces.progress import Busy
from ontogeny.faces.search_targets import Target
from ontogeny.faces.searches import document, opened, say_lineage, searches, stem
from ontogeny.faces.searching import checked, go_on, told
from ontogeny.faces.terminal import AsJson, answer, table
from ontogeny.isa.errors import OntogenyError, SearchError
from ontogeny.record.interrupts import Interrupts

CANDIDATES, NUMBERS = 10_000_000, 100_000
"""How many candidates are judged at most where nobody says: circuits, and vectors."""


@dataclass(frozen=True)
class Given:
    """What was given beside the words."""

    target: Target
    evaluations: int
    prune: int
    goal: float
    seconds: float | None
    name: str
    output: str
    author: str
    islands: int
    workers: int
    ray: str
    as_json: bool


OF_CIRCUITS, OF_NUMBERS = (", ".join(methods_of(space)) for space in (Netlists(1, 1), Vectors(1)))

Words = Annotated[
    list[str],
    typer.Argument(
        metavar="TARGET|VERB [NAME] [DIAL=VALUE...]",
        help="A truth table, a circuit, FILE.py:FUNCTION, or examples (FILE.npz with x and y, or digits), and dials of "
        "the method; or one of resume, set, show, list, chart, lineage, verify, and the name of a search.",
    ),
]
MethodName = Annotated[str, typer.Option("--method", help=f"Of circuits {OF_CIRCUITS}; of vectors {OF_NUMBERS}.")]
Kind = Annotated[
    str, typer.Option("--as", help="What the function is: equals, each, batch, or fitness, which makes one.")
]
Inputs = Annotated[int, typer.Option("--inputs", min=0, help="Inputs of a circuit, for a function.")]
Outputs = Annotated[int, typer.Option("--outputs", min=0, help="Outputs of a circuit, for a function.")]
Sampled = Annotated[int, typer.Option("--sampled", min=0, help="Try so many inputs only; 0: all.")]
Vector = Annotated[int, typer.Option("--vector", min=0, help="The function is of a vector of so many numbers.")]
Low = Annotated[str, typer.Option("--low", help="The least that its numbers may be: one for all, or one each.")]
High = Annotated[str, typer.Option("--high", help="The greatest.")]
Start = Annotated[str, typer.Option("--start", help="Where the search begins; else between the bounds, or at 0.")]
Hidden = Annotated[str, typer.Option("--hidden", help="On examples: the widths of the network's hidden layers.")]
Activation = Annotated[str, typer.Option("--activation", help="On examples: relu, or hard (-1 or 1).")]
Error = Annotated[str, typer.Option("--error", help="On examples: loss or mistakes.")]
HeldOut = Annotated[float, typer.Option("--held-out", help="The share of examples that is only told at the end.")]
Objectives = Annotated[
    str, typer.Option("--objectives", help="Beside the error: gates, depth, or functions of the file.")
]
Weights = Annotated[str, typer.Option("--weights", help="Weigh error and objectives into one; a dial, too.")]
Seed = Annotated[int, typer.Option("--seed", help="What chance goes by.")]
Evaluations = Annotated[
    int, typer.Option("--evaluations", min=0, help="Candidates to judge at most; 0: ten million, vectors 100,000.")
]
Prune = Annotated[int, typer.Option("--prune", min=0, help="So many more for fewer gates, once it is right.")]
GoalError = Annotated[float, typer.Option("--goal", help="The error that is right.")]
IslandCount = Annotated[int, typer.Option("--islands", min=1, help="So many side by side, that send on their best.")]
WorkerCount = Annotated[int, typer.Option("--workers", min=1, help="Processes that share the work; nothing changes.")]
Ray = Annotated[str, typer.Option("--ray", metavar="ADDRESS", help="Ray's workers there; local: started here.")]
Limit = Annotated[float, typer.Option("--limit", help="Seconds that a Python fitness may take; 0: no limit.")]
Seconds = Annotated[float | None, typer.Option("--seconds", help="Stop after so many; resume goes on.")]
Name = Annotated[str, typer.Option("--name", help="What the search is called; else after its target.")]
Output = Annotated[str, typer.Option(*SPELT, help="A file for the best (vectors: .npy, .npz, .json), or the chart.")]
Author = Annotated[str, typer.Option("--author", help="Who does it, for the journal.")]


def command(
    words: Words, method: MethodName = "", kind: Kind = "", inputs: Inputs = 0, outputs: Outputs = 0,
    sampled: Sampled = 0, vector: Vector = 0, low: Low = "", high: High = "", start: Start = "",
    hidden: Hidden = "32", activation: Activation = "relu", error: Error = "loss", held_out: HeldOut = 0.2,
    objectives: Objectives = "", weights: Weights = "", seed: Seed = 0, evaluations: Evaluations = 0,
    prune: Prune = 0, goal: GoalError = 0.0, limit: Limit = SECONDS, seconds: Seconds = None, name: Name = "",
    output: Output = "", author: Author = "you", islands: IslandCount = 1, workers: WorkerCount = 1, ray: Ray = "",
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Search for a circuit or for numbers without gradients; turn dials, resume, draw it.

    `ontogeny search adder.blif gates=nand --prune 500000`; `ontogeny search tasks.py:parity --inputs 5 --outputs 1`;
    `ontogeny search tasks.py:loss --vector 20 --low -5 --high 5`; `ontogeny search digits --method low-rank-es`;
    `ontogeny search set parity offspring=8` turns a dial while it goes on.
    """
    layers = Layers(hidden, activation, error, held_out)
    target = Target(words[0], method, kind, inputs, outputs, sampled, vector, low, high, start, layers, objectives,
                    weights, seed, limit)  # fmt: skip
    given = Given(target, evaluations, prune, goal, seconds, name, output, author, islands, workers, ray, as_json)
    VERBS[words[0]](words[1:], given) if words[0] in VERBS else begin(words[1:], given)


def begin(words: list[str], given: Given) -> None:
    """A new search."""
    target = given.target
    if target.word.isidentifier() and target.word not in READY and not Path(target.word).exists():
        told = f"{target.word} is no verb and no file; the verbs are {', '.join(VERBS)}"
        raise SearchError(f"{told}; to begin, name what is searched for: a circuit, a table, FILE.py:FUNCTION")
    fitness = target.fitness()
    method = method_of(target.method, pairs(words), fitness.space)
    if given.islands > 1:
        method = Islands(method, given.islands)
    if given.output:
        checked(given.output, fitness.space)  # refused before anything is searched for
    folder = searches().fresh(given.name or stem(target.word))
    most = given.evaluations or (NUMBERS if isinstance(fitness.space, Vectors) else CANDIDATES)
    budget: dict[str, Any] = {"seed": target.seed, "evaluations": most, "prune": given.prune}
    search = record(folder, method, fitness, **budget, goal=given.goal, author=given.author)
    going(search, given)


def going(search: RecordedSearch, given: Given) -> None:
    """Lets a search go on, by whoever is to do the work."""
    with working(given.workers, given.ray) as workers:
        go_on(search, given.seconds, given.output, given.as_json, workers)


def one_name(words: list[str], verb: str) -> str:
    """The search that a verb is about."""
    if len(words) != 1:
        raise SearchError(f"`ontogeny search {verb}` takes the name of one search, and {len(words)} words were given")
    return words[0]


def resume(words: list[str], given: Given) -> None:
    """Goes on with a search."""
    going(opened(one_name(words, "resume")), given)


def show(words: list[str], given: Given) -> None:
    """Says what a search has come to; its best is written where a file is named."""
    search = opened(one_name(words, "show"))
    told(search, search.found(), given.output, given.as_json)


def turn(words: list[str], given: Given) -> None:
    """Turns dials from the next generation on, also of a search that goes on elsewhere."""
    if len(words) < 2:
        raise SearchError("`ontogeny search set NAME DIAL=VALUE...` turns dials")
    search, turned = opened(words[0]), {dial: read(value) for dial, value in pairs(words[1:]).items()}
    for dial, value in turned.items():  # all or none
        search.check(dial, value)
    entries = {dial: search.turn(dial, value, given.author) for dial, value in turned.items()}
    waits = [dial for dial, entry in entries.items() if entry is None]
    at = {dial: entry.at for dial, entry in entries.items() if entry is not None}
    dials = {name: said(value) for name, value in search.dials().items()}

    def say(console: Console) -> None:
        for dial, when in at.items():
            console.print(f"{dial}={escape(said(turned[dial]))} holds after {when:,} evaluations")
        if waits:
            console.print(f"{', '.join(waits)} waits: the search's process has not ended its generation yet")

    answer({"search": search.folder.name, "turned": at, "waits": waits, "dials": dials}, given.as_json, say)


def listed(words: list[str], given: Given) -> None:
    """All searches."""
    rows = []
    for folder in searches().all():
        try:
            search = opened(str(folder))
            rows.append(document(search, search.found()))
        except OntogenyError as error:
            rows.append({"search": folder.name, "error": str(error)})

    def say(console: Console) -> None:
        shown = table("", search="left", evaluations="right", right_after="right", gates="right", over="left")
        for row in rows:
            best = row.get("best", {})
            cells = f"{row.get('evaluations', 0):,}", row.get("solved_at"), best.get("gates"), row.get("over")
            shown.add_row(escape(row["search"]), *("-" if cell is None else str(cell) for cell in cells))
        console.print(shown if rows else f"no searches in {searches().root}/")
        for row in rows:
            if "error" in row:
                console.print(f"[yellow]{escape(row['search'])} cannot be opened:[/] {escape(row['error'])}")

    answer({"folder": str(searches().root), "searches": rows}, given.as_json, say)


def chart(words: list[str], given: Given) -> None:
    """Draws a search: error and gates against evaluations, and the front."""
    search = opened(one_name(words, "chart"))
    save, draw = import_module("ontogeny.faces.picture").save, import_module("ontogeny.faces.search_picture").draw
    paths = save(draw(search), place(given.output, f"{search.folder.name}.png"))
    answer({"files": paths}, given.as_json, lambda console: console.print(escape("  ".join(map(str, paths)))))


def verify(words: list[str], given: Given) -> None:
    """Goes through a search again, and compares every state that was kept."""
    search = opened(one_name(words, "verify"))
    with Interrupts():
        states = search.verify()
    document = {"search": search.folder.name, "verified": states}
    count = "1 state is" if len(states) == 1 else f"{len(states)} states are"
    words_for = f"{count} the same bits when the journal is gone through again"
    answer(document, given.as_json, lambda console: console.print(words_for))


def traced(words: list[str], given: Given) -> None:
    """Says which steps led to the best, or to a candidate by its number, and what made each of them better."""
    name, *number = words or [""]
    if (number and not number[0].isdecimal()) or len(words) > 2:
        raise SearchError("`ontogeny search lineage NAME [NUMBER]` takes the number of a candidate, the first is 0")
    search = opened(name)
    with Busy("the search is gone through again", quiet=given.as_json):
        steps = lineage(search, int(number[0]) if number else None)
    document = {"search": search.folder.name, "steps": [asdict(step) for step in steps]}
    answer(document, given.as_json, lambda console: say_lineage(console, steps))


VERBS: dict[str, Callable[[list[str], Given], None]] = {
    "resume": resume,
    "set": turn,
    "show": show,
    "list": listed,
    "chart": chart,
    "verify": verify,
    "lineage": traced,
}
"""What is done with a search that there is."""
