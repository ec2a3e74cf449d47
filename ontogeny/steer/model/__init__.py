"""A language model as a second reader of words: over any endpoint that speaks the chat completions protocol."""
