"""Tables of phrases for parameters and for training examples: all biases, the embeddings, examples with y = 3."""

from __future__ import annotations

from fnmatch import fnmatchcase

from ontogeny.steer.phrases.phrase import Found, Table, Unclear, v
from ontogeny.steer.phrases.said.values import figure

KINDS = "(weights|matrices|parameters|tensors|layers|projection|projections|module|block|matrix)"
ATTENTION = (
    "query",
    "key",
    "value",
    "key_value",
    "qkv",
    "attn",
    "attention",
    "q_proj",
    "k_proj",
    "v_proj",
    "o_proj",
    "out",
)
MLP = ("mlp", "up", "down", "gate", "fc", "fc1", "fc2", "ffn", "feed_forward", "up_proj", "down_proj", "gate_proj")
Names = tuple[str, ...]


def parts(name: str) -> list[str]:
    """The parts of a tensor's name between its dots."""
    return name.lower().split(".")


def with_part(found: Found, *words: str, said: str = "") -> Names:
    """The tensors that have one of these words as a part of their name. Raises Unclear for none."""
    names = tuple(name for name in found.context.tensors if set(parts(name)) & set(words))
    return names or _none(found, said or words[0])


def _none(found: Found, said: str) -> Names:
    names = found.context.tensors
    shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    raise Unclear(f"no parameters here are called {said!r}; there are {shown or 'none'}")


def _pattern(found: Found) -> Names:
    """A name or a pattern as it stands, where it is of this run."""
    said = next(iter(found.values()))
    exact = [name for name in found.context.tensors if name.lower() == said.lower()]
    if exact:
        return (exact[0],)
    if any(fnmatchcase(name, said) for name in found.context.tensors):
        return (said,)
    return (
        with_part(found, *said.lower().removesuffix(".").split(".")[:1], said=said)
        if "*" not in said
        else _none(found, said)
    )


def _called(found: Found) -> Names:
    said = str(found["n"]).lower()
    return with_part(found, said, f"{said}s", said.removesuffix("s"), said=said)


def _embeddings(found: Found) -> Names:
    names = tuple(
        n
        for n in found.context.tensors
        if any(part.startswith(("embed", "emb", "wte", "tok_emb")) for part in parts(n))
    )
    return names or _none(found, "embeddings")


def _only(names: Names, last: str) -> Names:
    """Those of the names that end so, or all where none does."""
    return tuple(name for name in names if name.endswith(f".{last}")) or names


def _joined(found: Found) -> Names:
    """Several together. Raises Unclear where everything is one of them."""
    both = tuple(dict.fromkeys((*found["a"], *found["b"])))
    if "*" in both and len(both) > 1:
        raise Unclear("all parameters, or only some of them?")
    return both


def _but(found: Found) -> Names:
    """All tensors but these."""
    names = found.context.tensors
    return tuple(name for name in names if not any(fnmatchcase(name, one) for one in found["t"])) or _none(
        found, "rest"
    )


def _row(found: Found, number: int) -> str:
    """A row of a matrix: an element's name that stands for all of its columns."""
    (name,) = found["t"] if len(found["t"]) == 1 else (_several(found),)
    exact = [one for one in found.context.tensors if fnmatchcase(one, name)]
    if len(exact) != 1 or number < 0:
        _none(found, name)
    return f"{exact[0]}[{number},:]"


def _entry(found: Found) -> str:
    return _row(found, found["a"]).replace(",:]", f",{found['b']}]")


def _biases(found: Found) -> Names:
    return ("*.bias",) if any(name.endswith(".bias") for name in found.context.tensors) else _none(found, "bias")


def _layer(found: Found, place: int | None = None) -> Names:
    """The layer of a number: where layers are numbered, the first is 0."""
    numbers = sorted({int(part) for name in found.context.tensors for part in parts(name) if part.isdigit()})
    number = int(found["n"]) - 1 if place is None else (numbers[place] if numbers else -1)
    if number not in numbers:
        said = "that layer"
        _none(found, said)
    return with_part(found, str(number))


def _value_of(found: Found) -> str:
    """Examples by a value of theirs."""
    return f"{found['i']}={figure(found['n'])}"


def _label(found: Found) -> str:
    names = [name for name in found.context.inputs if name.lower() in ("y", "label", "labels", "target", "targets")]
    if len(names) != 1:
        raise Unclear(f"which value of an example is its label? there are {', '.join(found.context.inputs)}")
    return f"{names[0]}={figure(found['n'])}"


def _stretch(found: Found) -> str:
    """From one example to another, the last one too."""
    return f"{found['a']}:{found['b'] + 1}"


TENSORS: Table = {
    "tensors": (
        v("{a:tensor_set}"),
        v("[both] {a:tensor_set} (and|or|nor|COMMA|COMMA and|COMMA or|plus|PLUS|SLASH|as well as|together with|along with) [on|of|for] {b:tensors}", lambda f: _joined(f)),
    ),
    "tensor_set": (
        v("{n:TENSOR} [parameters|tensors|weights|matrices]", _pattern),
        v("{n:PATTERN}", _pattern),
        v("{n:DOTTED}", _pattern),
        v("{n:QUOTED}", _pattern),
        v("(everything|all (parameters|weights|tensors|layers)|whole) (in|of) {t:tensor_set}", lambda f: f["t"]),
        v("(all|every) [of] {t:tensor_one}", lambda f: f["t"]),
        v("{t:tensor_one} (parameters|weights|tensors|layers|block)", lambda f: f["t"]),
        v("everything", ("*",)),
        v("(whole|entire) (model|network|net|thing|lot)", ("*",)),
        v("(it all|all of it|all of them|all|lot)", ("*",)),
        v("(everything|it all|all|all (parameters|weights|tensors|layers)|all of it|whole (model|network|thing|lot)|model|network|rest) (but|except|except for|apart from|other than|besides|bar|save|save for|excluding|aside from) {t:tensors}", lambda f: _but(f)),
        v("(all|every) (parameters|weights|tensors|layers)", ("*",)),
        v("[all] biases [parameters|tensors|terms|vectors]", _biases),
        v("[all] [of] matrices", lambda f: f.context.matrices or _none(f, "matrices")),
        v("(word|token|input|embeddings|vocabulary) table", _embeddings),
        v("(positions|table of positions|position table|positional table|positional tensor|position tensor|pos emb|pos embeddings|position emb)", lambda f: with_part(f, "position", "pos", "wpe", "pos_emb", "positions")),
        v("[both] [weight] (matrices|weights|mats|weights matrices) of mlp", lambda f: _only(with_part(f, *MLP), "weight")),
        v("[both] mlp (matrices|mats|weights matrices)", lambda f: _only(with_part(f, *MLP), "weight")),
        v("([both|two|all] biases [vectors|terms] of mlp|[both|two|all] mlp biases [vectors|terms])", lambda f: _only(with_part(f, *MLP), "bias")),
        v("biases [vectors|terms] of attention", lambda f: _only(with_part(f, *ATTENTION), "bias")),
        v("(first layers of mlp|first mlp layers|mlp first layers)", lambda f: with_part(f, "up", "fc1", "gate")),
        v("(weights|matrices) of (first layers of mlp|first mlp layers)", lambda f: _only(with_part(f, "up", "fc1"), "weight")),
        v("(biases of (first layers of mlp|first mlp layers)|first mlp layers biases)", lambda f: _only(with_part(f, "up", "fc1"), "bias")),
        v("(second layers of mlp|second mlp layers|last layers of mlp|mlp second layers)", lambda f: with_part(f, "down", "fc2")),
        v("(weights|matrices) of (second layers of mlp|second mlp layers)", lambda f: _only(with_part(f, "down", "fc2"), "weight")),
        v("(biases of (second layers of mlp|second mlp layers)|second mlp layers biases|mlp output biases)", lambda f: _only(with_part(f, "down", "fc2"), "bias")),
        v("key SLASH value (projection|weights|matrices|layers)", lambda f: with_part(f, "key_value", "kv")),
        v("up and down", lambda f: with_part(f, "up", "down")),
        v("two biases [vectors]", _biases),
        v("[all] [token|input|word] embeddings [layers|weights|matrices|table|parameters|tensors]", _embeddings),
        v("embeddings of position", lambda f: with_part(f, "position", "pos", "wpe", "pos_emb", "positions")),
        v("(position|positional) embeddings", lambda f: with_part(f, "position", "pos", "wpe", "pos_emb", "positions")),
        v("positional (encoding|encodings)", lambda f: with_part(f, "position", "pos", "wpe", "pos_emb", "positions")),
        v("position (weights|parameters|encoding|encodings|vectors)", lambda f: with_part(f, "position", "pos", "wpe")),
        v("[output] unembedding [layers|weights|matrices]", lambda f: with_part(f, "unembed", "unembedding", "lm_head", "head")),
        v("attention [layers|weights|matrices|parameters|block|heads|tensors]", lambda f: with_part(f, *ATTENTION)),
        v("(mlp|feed-forward|ffn) [layers|weights|matrices|parameters|block|tensors|network]", lambda f: with_part(f, *MLP)),
        v("(up|up-projection) biases", lambda f: (f"{with_part(f, 'up')[0].split('.')[0]}.bias",)),
        v("(down|down-projection) biases", lambda f: (f"{with_part(f, 'down')[0].split('.')[0]}.bias",)),
        v("up (weights|matrices|projection|layers)", lambda f: with_part(f, "up")),
        v("down (weights|matrices|projection|layers)", lambda f: with_part(f, "down")),
        v("up and down (projection|projections|layers|weights)", lambda f: with_part(f, "up", "down")),
        v("(out|output) (projection|matrices)", lambda f: with_part(f, "out", "o_proj")),
        v("out (weights|layers)", lambda f: with_part(f, "out")),
        v("key value (projection|weights|matrices|layers)", lambda f: with_part(f, "key_value", "kv")),
        v("{n:NAME}", _called),
        v(f"{{n:NAME}} {KINDS}", _called),
        v("{n:ORDINAL} (layers|block)", _layer),
        v("first (layers|block)", lambda f: _layer(f, 0)),
        v("second (layers|block)", lambda f: _layer(f, 1)),
        v("last (layers|block)", lambda f: _layer(f, -1)),
        v("{n:FRACTION} (layers|block)", lambda f: _none(f, "that layer")),
        v("(layers|block) {n:number}", lambda f: with_part(f, figure(f["n"]), said=f"layer {figure(f['n'])}")),
    ),
    "tensor_one": (v("{n:TENSOR}", _pattern), v("{n:PATTERN}", _pattern), v("{n:NAME}", _called)),
    "tensor": (v("{t:tensor_set}", lambda f: f["t"][0] if len(f["t"]) == 1 else _several(f)),),
    "element": (
        v("{n:ELEMENT}"),
        v("parameters {n:ELEMENT}"),
        v("weights {n:ELEMENT}"),
        v("row [number] {n:count} (of|in) {t:tensor_set}", lambda f: _row(f, f["n"])),
        v("first row (of|in) {t:tensor_set}", lambda f: _row(f, 0)),
        v("{t:tensor_set} row [number] {n:count}", lambda f: _row(f, f["n"])),
        v("{t:tensor_set} {a:count} comma {b:count}", lambda f: _entry(f)),
    ),
    "named": (v("{n:element}"), v("{t:tensors}", lambda f: f["t"][0] if len(f["t"]) == 1 else _several(f))),
    "examples": (
        v("example {l:example_list}"),
        v("{l:example_list}"),
        v("example number {l:example_list}"),
        v("{e:example_value}"),
    ),
    "examples_said": (
        v("example [number|numbers] {l:example_list}", lambda f: f["l"]),
        v("{e:example_value}"),
    ),
    "example_list": (
        v("{i:example_item}"),
        v("{a:example_item} (COMMA|and|COMMA and) {b:example_list}", lambda f: f"{f['a']},{f['b']}"),
    ),
    "example_item": (
        v("[number] {n:count}", lambda f: str(f["n"])),
        v("{r:RANGE}"),
        v("{a:count} (to|through|DASH|until|up to) {b:count}", _stretch),
        v("(from|between) {a:count} (to|through|and|until|up to|up to and including) {b:count}", _stretch),
        v("{a:count} (to|through|up to) {b:count} inclusive", _stretch),
        v("{a:count} up to and including {b:count}", _stretch),
    ),
    "example_value": (
        v("[all] [example|those|ones|everything] (with|where|whose|having|that have|for which|of|in which) [value of] {i:INPUT} (EQUALS|is|equals|equal to|of|being) {n:number}", _value_of),
        v("[all] [example|those|ones] with {i:INPUT} {n:number}", _value_of),
        v("[all] [example] {i:INPUT} EQUALS {n:number} [example]", _value_of),
        v("[all] [example] (with|of|having|whose|that have) (label|class|target|answer|result) [is|EQUALS|of] {n:number}", _label),
        v("[all] [example|those|ones|everything] (where|whose|for which) (label|answer|target|result) [{i:INPUT}] (is|EQUALS|equals) {n:number}", _label),
        v("[all] [example] labelled {n:number}", _label),
        v("[all] class {n:number}", _label),
    ),
}  # fmt: skip


def _several(found: Found) -> str:
    raise Unclear(f"one tensor is asked for, and these are {', '.join(found['t'])}; name one, or an element of it")
