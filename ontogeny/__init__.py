"""A machine in which learning itself is a program that can be read, recorded, questioned and steered."""
