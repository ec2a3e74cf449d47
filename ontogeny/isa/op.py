"""Every operation of the language, one line each, in numbered groups.

Groups 1 to 10 are the BASE operations: their meaning is the reference machine's. Group 11 holds the MACROS: each has a
definition in base operations (`isa/macros`), and a machine may run it fused or step into it.

Elementwise operations take operands of one number format whose shapes broadcast by NumPy's rule. An operation that a
number format does not allow is refused by its type rule (`isa/rules`). Attributes stand in braces in the one-line
meanings and are declared in `ATTRIBUTES`.
"""

from __future__ import annotations

from enum import Enum


class Group(Enum):
    """The headings under which operations are listed."""

    MEMORY = "1. memory and state"
    SHAPE = "2. data movement"
    ARITHMETIC = "3. elementwise arithmetic"
    SELECT = "4. compare, select, convert"
    BITS = "5. bits"
    REDUCE = "6. contraction, reduction, scan"
    INDEX = "7. indexing"
    RANDOM = "8. random numbers"
    CONTROL = "9. control"
    DEBUG = "10. debugging"
    MACRO = "11. macros"


class Op(Enum):
    """An operation: its group and its one-line meaning."""

    group: Group
    meaning: str

    def __init__(self, group: Group, meaning: str) -> None:
        self.group = group
        self.meaning = meaning

    @property
    def text(self) -> str:
        """The name in the text form."""
        return self.name.lower()

    @property
    def is_macro(self) -> bool:
        """Whether the operation is defined by others rather than by the reference machine."""
        return self.group is Group.MACRO

    READ = Group.MEMORY, "the declared {name} as it was when the outermost routine began"
    COMMIT = Group.MEMORY, "the declared {name} becomes the operand when the outermost routine ends"
    CONST = Group.MEMORY, "{value} as {dtype}: one number, or as many as {shape} holds, last dimension fastest"

    RESHAPE = Group.SHAPE, "the same elements in the same order in {shape}"
    PERMUTE = Group.SHAPE, "dimensions reordered: result dimension i is operand dimension {dims}[i]"
    BROADCAST = Group.SHAPE, "stretched to {shape} by NumPy's rule"
    SLICE = Group.SHAPE, "elements {starts} up to, not including, {stops} by {steps} in every dimension"
    PAD = Group.SHAPE, "{value} put {low} before and {high} after in every dimension; no negative amounts"
    CAT = Group.SHAPE, "the operands one after another along {dim}"
    FLIP = Group.SHAPE, "reversed along {dims}"
    IOTA = Group.SHAPE, "0, 1, 2... along {dim} of {shape} as {dtype}"

    ADD = Group.ARITHMETIC, "a + b; integers wrap around"
    SUB = Group.ARITHMETIC, "a - b; integers wrap around"
    MUL = Group.ARITHMETIC, "a * b; integers wrap around"
    DIV = Group.ARITHMETIC, "a / b; for integers the floor of it, and 0 where b is 0"
    REM = Group.ARITHMETIC, "a - floor(a / b) * b, with the sign of b; for integers 0 where b is 0"
    NEG = Group.ARITHMETIC, "-a; integers wrap around"
    ABS = Group.ARITHMETIC, "|a|"
    SQRT = Group.ARITHMETIC, "square root; NaN below zero"
    EXP = Group.ARITHMETIC, "e to the a"
    LOG = Group.ARITHMETIC, "natural logarithm"
    SIN = Group.ARITHMETIC, "sine of radians"
    COS = Group.ARITHMETIC, "cosine of radians"
    TANH = Group.ARITHMETIC, "hyperbolic tangent"
    ERF = Group.ARITHMETIC, "Gauss's error function"
    POW = Group.ARITHMETIC, "a to the b; floats only"
    MAX = Group.ARITHMETIC, "the larger; NaN if either is"
    MIN = Group.ARITHMETIC, "the smaller; NaN if either is"
    FLOOR = Group.ARITHMETIC, "the largest whole number not above"

    LT = Group.SELECT, "a < b as bool"
    LE = Group.SELECT, "a <= b as bool"
    EQ = Group.SELECT, "a == b as bool"
    WHERE = Group.SELECT, "b where the bool a holds, else c"
    CAST = (
        Group.SELECT,
        "converted to {dtype}: floats round to nearest even; float to integer truncates; to bool: not zero",
    )
    BITCAST = Group.SELECT, "the same bits read as {dtype} of the same width"

    AND = Group.BITS, "bitwise and, of integers or bools"
    OR = Group.BITS, "bitwise or"
    XOR = Group.BITS, "bitwise exclusive or"
    NOT = Group.BITS, "every bit inverted"
    SHL = Group.BITS, "shifted left by b bits; 0 when b is the width or more"
    SHR = Group.BITS, "shifted right by b bits; signed keeps its sign, unsigned fills with 0"
    POPCOUNT = Group.BITS, "the number of ones among the bits"

    DOT = Group.REDUCE, "matrix product [..., m, k] x [..., k, n] -> [..., m, n]; leading dimensions equal"
    WINDOW = (
        Group.REDUCE,
        "sliding windows of {size} by {stride} and {dilation} over the last dimensions, appended as new ones",
    )
    SUM = Group.REDUCE, "sum over {dims}; {keep} leaves them as size one"
    REDUCE_MAX = Group.REDUCE, "largest over {dims}; {keep} leaves them as size one; NaN if any is"
    ARGMAX = Group.REDUCE, "i64 index of the first largest along {dim}; {keep} leaves it as size one"
    SCAN = Group.REDUCE, "running {kind} (add, mul or max) along {dim}"

    GATHER = Group.INDEX, "a[i, j, ...]: integer operands after the first index its leading dimensions, as in NumPy"
    SCATTER_SET = Group.INDEX, "a with a[i, j, ...] = b; where one place is named twice the last wins"
    SCATTER_ADD = Group.INDEX, "a with b added at a[i, j, ...], in the order of b where a place is named twice"
    SORT = Group.INDEX, "sorted along {dim}, stable, {descending} or not, and the i64 places they came from"

    RAND_BITS = (
        Group.RANDOM,
        "u32 bits of {shape}: Threefry-2x32-20 of key (i64 seed, i64 step) and counter (place, {site})",
    )

    CALL = Group.CONTROL, "the results of routine {body} on the operands"
    LOOP = Group.CONTROL, "values carried n times (i64 first operand) through {body}(i, values) -> values"
    WHILE = Group.CONTROL, "values carried through {body} while {test}(values) gives true, {limit} times at most"
    COND = Group.CONTROL, "{then}(values) where the first operand, a bool scalar, holds, else {other}(values)"

    PROBE = Group.DEBUG, "the operand, unchanged; shown under {name} to whoever watches"
    ASSERT = Group.DEBUG, "stops the routine with {message} unless every element of the bool operand holds"

    NAND = Group.MACRO, "not (a and b)"
    SIGN = Group.MACRO, "-1, 0 or 1; NaN stays"
    RSQRT = Group.MACRO, "1 / sqrt(a)"
    RECIPROCAL = Group.MACRO, "1 / a"
    RELU = Group.MACRO, "max(a, 0)"
    RELU_BACKWARD = Group.MACRO, "gradient g where a > {threshold}, else 0; operands g, a"
    SIGMOID = Group.MACRO, "1 / (1 + exp(-a))"
    SIGMOID_BACKWARD = Group.MACRO, "g * y * (1 - y); operands g, y"
    TANH_BACKWARD = Group.MACRO, "g * (1 - y * y); operands g, y"
    SILU = Group.MACRO, "a * sigmoid(a)"
    SILU_BACKWARD = Group.MACRO, "g * s * (1 + a * (1 - s)), s = sigmoid(a); operands g, a"
    GELU = Group.MACRO, "a * Phi(a); {approximate} is none (by erf) or tanh"
    GELU_BACKWARD = Group.MACRO, "gradient of gelu with {approximate}; operands g, a"
    LERP = Group.MACRO, "a + w * (b - a), or b - (b - a) * (1 - w) when |w| >= 0.5; w a scalar"
    ADDCMUL = Group.MACRO, "a + value * b * c; operands a, b, c and the f64 scalar value"
    ADDCDIV = Group.MACRO, "a + value * b / c; operands a, b, c and the f64 scalar value"
    AXPY = Group.MACRO, "a + value * b; operands a, b and the f64 scalar value"
    SCALE = Group.MACRO, "a * value; operands a and the f64 scalar value"
    LINEAR = Group.MACRO, "a + b @ c for matrices b, c and a that broadcasts (addmm)"
    MEAN = Group.MACRO, "mean over {dims}; {keep} leaves them as size one"
    VARIANCE = (
        Group.MACRO,
        "variance over {dims} with {correction} taken from the count; {keep} leaves them as size one",
    )
    SOFTMAX = Group.MACRO, "exp(a - max) / sum along {dim}"
    SOFTMAX_BACKWARD = Group.MACRO, "y * (g - sum(g * y)) along {dim}; operands g, y"
    LOG_SOFTMAX = Group.MACRO, "a - max - log(sum(exp(a - max))) along {dim}"
    LOG_SOFTMAX_BACKWARD = Group.MACRO, "g - exp(y) * sum(g) along {dim}; operands g, y"
    LAYER_NORM = Group.MACRO, "(a - mean) * rstd * w + b over the last {rank} dimensions with {eps}; also mean and rstd"
    LAYER_NORM_BACKWARD = (
        Group.MACRO,
        "gradients of a, w, b; operands g, a, mean, rstd, w over the last {rank} dimensions",
    )
    BATCH_NORM = (
        Group.MACRO,
        (
            "operands a, w, b, running mean and variance, in {train} or not, {momentum}, {eps}: "
            "normalised over all but dimension 1; also batch mean, rstd, new running mean and variance"
        ),
    )
    BATCH_NORM_BACKWARD = (
        Group.MACRO,
        ("gradients of a, w, b; operands g, a, w, running mean and variance, batch mean, rstd; {train}, {eps}"),
    )
    CONV = (
        Group.MACRO,
        "convolution [n,c,...] x [o,c/groups,...] with {stride}, {padding}, {dilation}, {groups}; bias optional",
    )
    CONV_BACKWARD = Group.MACRO, "gradients of a, w and bias; operands g, a, w; attributes as conv"
    MAX_POOL = (
        Group.MACRO,
        "largest of windows of {size} by {stride}, {padding}; also each one's flat i64 place in its plane",
    )
    MAX_POOL_BACKWARD = (
        Group.MACRO,
        "g put back to the places of max_pool; operands g, a, places; attributes as max_pool",
    )
    AVG_POOL = Group.MACRO, "mean of windows of {size} by {stride}, {padding} counted as zeros"
    AVG_POOL_BACKWARD = Group.MACRO, "g spread over the windows of avg_pool; operands g, a; attributes as avg_pool"
    NLL_LOSS = (
        Group.MACRO,
        (
            "mean of -a[i, target[i]] over targets other than {ignore}; operands a [n,c], target i64[n]; also their count"
        ),
    )
    NLL_LOSS_BACKWARD = Group.MACRO, "gradient of nll_loss; operands g, a, target, count; {ignore}"
    EMBEDDING_BACKWARD = (
        Group.MACRO,
        "rows g summed into {rows} rows by index; operands g, index; rows of {padding} stay zero",
    )
    UNIFORM = Group.MACRO, "f32 in [0, 1) of {shape}: the top 24 of rand_bits's 32 bits; operands and {site} as there"


ATTRIBUTES: dict[Op, dict[str, str]] = {
    Op.READ: {"name": "str"},
    Op.COMMIT: {"name": "str"},
    Op.CONST: {"value": "numbers", "dtype": "dtype", "shape": "ints"},
    Op.RESHAPE: {"shape": "ints"},
    Op.PERMUTE: {"dims": "ints"},
    Op.BROADCAST: {"shape": "ints"},
    Op.SLICE: {"starts": "ints", "stops": "ints", "steps": "ints"},
    Op.PAD: {"low": "ints", "high": "ints", "value": "number"},
    Op.CAT: {"dim": "int"},
    Op.FLIP: {"dims": "ints"},
    Op.IOTA: {"shape": "ints", "dim": "int", "dtype": "dtype"},
    Op.CAST: {"dtype": "dtype"},
    Op.BITCAST: {"dtype": "dtype"},
    Op.WINDOW: {"size": "ints", "stride": "ints", "dilation": "ints"},
    Op.SUM: {"dims": "ints", "keep": "bool"},
    Op.REDUCE_MAX: {"dims": "ints", "keep": "bool"},
    Op.ARGMAX: {"dim": "int", "keep": "bool"},
    Op.SCAN: {"dim": "int", "kind": "str"},
    Op.SORT: {"dim": "int", "descending": "bool"},
    Op.RAND_BITS: {"shape": "ints", "site": "int"},
    Op.CALL: {"body": "str"},
    Op.LOOP: {"body": "str"},
    Op.WHILE: {"test": "str", "body": "str", "limit": "int"},
    Op.COND: {"then": "str", "other": "str"},
    Op.PROBE: {"name": "str"},
    Op.ASSERT: {"message": "str"},
    Op.RELU_BACKWARD: {"threshold": "number"},
    Op.GELU: {"approximate": "str"},
    Op.GELU_BACKWARD: {"approximate": "str"},
    Op.MEAN: {"dims": "ints", "keep": "bool"},
    Op.VARIANCE: {"dims": "ints", "correction": "number", "keep": "bool"},
    Op.SOFTMAX: {"dim": "int"},
    Op.SOFTMAX_BACKWARD: {"dim": "int"},
    Op.LOG_SOFTMAX: {"dim": "int"},
    Op.LOG_SOFTMAX_BACKWARD: {"dim": "int"},
    Op.LAYER_NORM: {"rank": "int", "eps": "number"},
    Op.LAYER_NORM_BACKWARD: {"rank": "int"},
    Op.BATCH_NORM: {"train": "bool", "momentum": "number", "eps": "number"},
    Op.BATCH_NORM_BACKWARD: {"train": "bool", "eps": "number"},
    Op.CONV: {"stride": "ints", "padding": "ints", "dilation": "ints", "groups": "int"},
    Op.CONV_BACKWARD: {"stride": "ints", "padding": "ints", "dilation": "ints", "groups": "int"},
    Op.MAX_POOL: {"size": "ints", "stride": "ints", "padding": "ints"},
    Op.MAX_POOL_BACKWARD: {"size": "ints", "stride": "ints", "padding": "ints"},
    Op.AVG_POOL: {"size": "ints", "stride": "ints", "padding": "ints"},
    Op.AVG_POOL_BACKWARD: {"size": "ints", "stride": "ints", "padding": "ints"},
    Op.NLL_LOSS: {"ignore": "int"},
    Op.NLL_LOSS_BACKWARD: {"ignore": "int"},
    Op.EMBEDDING_BACKWARD: {"rows": "int", "padding": "int"},
    Op.UNIFORM: {"shape": "ints", "site": "int"},
}

BY_NAME: dict[str, Op] = {op.text: op for op in Op}
