"""How much a stream carries once it is predicted: bits a second of text, sound and images by ever stronger models.

stream.py     what a stream is: symbols, how many a second, what the sensor gives, and the truth where it is known
carried.py    the question: every model of a stream's kind, weakest first, and what each takes
made.py       texts; sounds.py, scenes.py, digits.py: streams made here; files.py: a person's own (png.py: PNG)
texts.py      models of text; waves.py of sound, pictures.py of images: each in order
mixing.py     adaptive contexts on any symbols, alone or mixed; loops in mixing_kernels.py
linear.py     linear prediction, sent with Rice codes or found on the way; loops in linear_kernels.py
pixels.py     predictors of pixels from those before, and from the frame before, with motion
"""
