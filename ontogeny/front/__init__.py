"""Into the language: PyTorch capture, learning rules, authoring; and out of it: PyTorch, ONNX."""
