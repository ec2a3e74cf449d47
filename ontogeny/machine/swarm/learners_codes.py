"""Numbers that the learners' compiled loops go by, and the table of operations as they read it.

A kernel is one loop; a form says over which elements of its registers it goes.
"""

ADD, SUB, MUL, DOT, CONST, JUDGE, SCORE, MIX = range(8)
"""What most tapes do most. JUDGE looks at a prediction in training, MIX hashes it as well, SCORE validates."""
DIV, MIN, MAX, ABS, RECIPROCAL, HEAVISIDE, COPY = range(8, 15)
SIN, COS, TAN, EXP, LOG = range(15, 20)
OUTER, COLUMN, ROW, TRANSPOSE, MATMUL, COLUMN_NORM = range(20, 26)
INNER, NORM, MEAN, DEVIATION = range(26, 30)
"""DOT is INNER where n is so small that NumPy adds in order."""

EACH, WHOLE, ROWS, SQUARE, PUT = range(5)
"""Forms: every element; all elements to one; each row of a matrix to one; n by n; one place."""

LABEL, ZERO, LOSS, HASH, ONE = range(5)
"""Slots that every tape has: the label, s0 where it must not be seen, squared errors, the hash, the number 1."""
FIRST = 5
WORKING = 20
"""Slots to work in beside a matrix and a vector."""
