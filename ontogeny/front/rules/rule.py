"""What a learning rule is.

An elementwise rule is written once and runs once, on a whole arena of parameters; another kind (Muon) is given one
parameter at a time. Dials are `f64[]` scalars, so a rule computes its bias corrections in double precision.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from ontogeny.front.author import Value
from ontogeny.front.rules.group import Group, groups_of
from ontogeny.front.source import line_of_code
from ontogeny.isa.errors import ProgramError

Slots = dict[str, Value]
Update = Callable[[Value, Value, Slots, Mapping[str, Value]], tuple[Value, Slots]]
"""(gradient, parameter, state, dials) -> (new parameter, new state); `dials["step"]` counts from one."""
Shape = tuple[int, ...]
Schedule = Callable[[Value], Value]
"""(step from zero, f64[]) -> the factor on the learning rate, f64[]."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Gradients from the losses of so many pairs of opposite perturbations, and of what kind (`rules/es.py`)."""

    pairs: int
    rank: int
    shaped: bool


@dataclass(frozen=True, slots=True)
class Rule:
    """A learning rule: its dials with their values, its state per parameter, and its update.

    `clip` bounds the norm of all gradients together (0: no bound) and is itself a dial. A state slot has the shape of
    its parameter, or is one f64 scalar where it is among the `scalars`; it starts at zero, or where `starts` says.
    `shapes` says otherwise for a rule whose slots depend on the parameter's shape.
    `where` is the user's own line that says what the update is, empty for a rule of this package. `estimate` takes the
    gradients from losses alone; a rule that `ascends` takes them where its dial `sam_rho` says (`rules/sam.py`).
    """

    name: str
    dials: Mapping[str, float]
    slots: tuple[str, ...]
    update: Update
    elementwise: bool = True
    schedule: Schedule | None = None
    clip: float = 0.0
    options: Mapping[str, float] = field(default_factory=dict)
    scalars: frozenset[str] = frozenset()
    starts: Mapping[str, float] = field(default_factory=dict)
    shapes: Callable[[Shape], Mapping[str, Shape]] | None = None
    where: str = ""
    estimate: Estimate | None = None
    ascends: bool = False
    groups: tuple[Group, ...] = ()

    def __post_init__(self) -> None:
        if both := sorted({*self.dials, "clip", "seed", "step"} & {*self.slots}):
            raise ProgramError(f"the rule {self.name} calls a state slot {both[0]!r}, which is taken; rename it")

    def slot_shapes(self, shape: Shape) -> Mapping[str, Shape]:
        """The state that a parameter of a shape has: the shape of each of its slots, by name."""
        if self.shapes:
            return self.shapes(shape)
        return {slot: () if slot in self.scalars else shape for slot in self.slots}

    def grouped(self, groups: Mapping[str, Mapping[str, float]]) -> Rule:
        """The same rule with dials of their own for the parameters that patterns match, as PyTorch's parameter groups.

        `adamw().grouped({"embed.*": {"weight_decay": 3.0}})` has the further dial `weight_decay.embed`; dials that a
        group does not name are the rule's. Raises ProgramError for a dial that there is not; a pattern that matches no
        parameter, and a parameter that two match, are refused by the capture.
        """
        if self.groups:
            raise ProgramError(f"the rule {self.name} has groups already; give all of them at once")
        return replace(self, groups=groups_of(self.name, self.dials, groups))

    def own_dials(self, group: str) -> dict[str, str]:
        """What the rule's dials are called for the parameters of a group, for those in none where it is empty."""
        own = next((one.dials for one in self.groups if one.name == group), {})
        return {name: f"{name}.{group}" if name in own else name for name in self.dials}

    @property
    def all_dials(self) -> dict[str, float]:
        """Every dial with its value, those of groups behind the rule's own."""
        further = {f"{dial}.{one.name}": value for one in self.groups for dial, value in one.dials.items()}
        return {**self.dials, **further}

    def with_schedule(self, schedule: Schedule) -> Rule:
        """The same rule with a factor that follows the step on `lr`, and on dials such as `adam_lr`."""
        return replace(self, schedule=schedule)

    def with_clip(self, norm: float) -> Rule:
        """The same rule after scaling all gradients so that their joint norm is at most `norm`."""
        return replace(self, clip=norm)


def custom(
    update: Update, *, dials: Mapping[str, float], slots: tuple[str, ...] = (), elementwise: bool = True
) -> Rule:
    """A rule from any pure Python function (gradient, parameter, state, dials) -> (parameter, state).

    The function computes with values (`front/author`), is called once while the program is built, and cannot branch on
    what it is given. Set `elementwise` to False when it needs each parameter in its own shape.
    """
    name = getattr(update, "__name__", "custom")
    return Rule(name, dict(dials), slots, update, elementwise, where=line_of_code(update))
