"""Programs searched for: candidates, fitness, methods; circuits, which are gate networks as a person handles them."""
