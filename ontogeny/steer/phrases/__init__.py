"""Words as commands, without a language model: a grammar made of tables of phrases, one for each command."""
