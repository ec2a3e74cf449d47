"""Networks that differ in how often a parameter is used, and in what a unit can compute: modules that capture.

Those on cells read f32[batch, cells] and give a score for each cell, f32[batch, cells]: `looped`, `convolution`,
`attention`, `one_use`. `dendritic` and `modulated` are richer units.
"""
