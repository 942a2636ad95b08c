"""Formulas as MathML, which browsers draw without a script and screen readers read aloud."""

import re
from collections.abc import Iterator
from html import escape

__all__ = ["FORMULAS", "mathml"]

# By figure: the formula and the key of its name; the same equations as in docs/cells.
FORMULAS: dict[str, tuple[tuple[str, str], ...]] = {
    "unroll": (("h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh)", "state"),),
    "gates": (
        ("i_t = σ(W_ii x_t + b_ii + W_hi h_{t-1} + b_hi)", "input_gate"),
        ("f_t = σ(W_if x_t + b_if + W_hf h_{t-1} + b_hf)", "forget_gate"),
        ("g_t = tanh(W_ig x_t + b_ig + W_hg h_{t-1} + b_hg)", "cell_candidate"),
        ("c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t", "cell_state"),
        ("o_t = σ(W_io x_t + b_io + W_ho h_{t-1} + b_ho)", "output_gate"),
        ("h_t = o_t ⊙ tanh(c_t)", "output"),
        ("r_t = σ(W_ir x_t + b_ir + W_hr h_{t-1} + b_hr)", "reset_gate"),
        ("z_t = σ(W_iz x_t + b_iz + W_hz h_{t-1} + b_hz)", "update_gate"),
        ("n_t = tanh(W_in x_t + b_in + r_t ⊙ (W_hn h_{t-1} + b_hn))", "candidate"),
        ("h_t = (1 - z_t) ⊙ n_t + z_t ⊙ h_{t-1}", "gru_state"),
    ),
    "gradients": (
        ("frac{∂h_t}{∂h_s} = ∏_{k=s+1}^t diag(f′(a_k)) W_hh", "rnn_path"),
        ("‖frac{∂h_t}{∂h_s}‖ ≤ (γ σ_max(W_hh))^{t-s}, γ = sup|f′| = 1", "rnn_bound"),
        ("frac{∂c_t}{∂c_s} = ∏_{k=s+1}^t diag(f_k)", "lstm_path"),
        ("frac{∂h_t}{∂h_s} = ∏_{k=s+1}^t diag(z_k)", "gru_path"),
    ),
    "forgetting": (("f = σ(b), f^k ≈ e^{-k(1-f)}", "forget_rate"),),
    "start": (("W_hh^⊤ W_hh = I ⟹ ‖W_hh^k v‖ = ‖v‖", "orthogonality"),),
    "clipping": (("g ← g · min(1, frac{θ}{‖g‖})", "clip_rule"),),
    "timing": (
        ("i_t = σ(W_ii x_t + b_ii + W_hi h_{t-1} + b_hi + p_i ⊙ c_{t-1})", "input_gate"),
        ("f_t = σ(W_if x_t + b_if + W_hf h_{t-1} + b_hf + p_f ⊙ c_{t-1})", "forget_gate"),
        ("o_t = σ(W_io x_t + b_io + W_ho h_{t-1} + b_ho + p_o ⊙ c_t)", "output_gate"),
    ),
    "truncation": (("frac{∂L}{∂W_hh} ≈ ∑_{t=T-k+1}^T δ_t h_{t-1}^⊤", "truncated_sum"),),
}

_TOKEN = re.compile(r"[^\W\d_]+|\d+|\s+|\S")
_NAMES = ("diag", "max", "min", "sup", "tanh")  # other letters that stand together are a product or an index
_GAP = '<mspace width="0.17em"/>'


def mathml(formula: str) -> str:
    """Return a `<math>` element, the formula itself its text for those who can't see it.

    Args:
        formula: in Unicode, with `_` and `^` before a word or {group}, and `frac{above}{below}`.
    """
    parts = "".join(_sequence(_Tokens(formula)))
    return f'<math display="block" alttext="{escape(formula)}"><mrow>{parts}</mrow></math>'


class _Tokens:
    """The tokens of a formula, one of which can be looked at before it is taken."""

    def __init__(self, formula: str) -> None:
        self._left = _TOKEN.findall(formula)[::-1]

    @property
    def next(self) -> str:
        return self._left[-1] if self._left else ""

    def take(self) -> str:
        return self._left.pop()


def _sequence(tokens: _Tokens) -> Iterator[str]:
    """Yield the parts up to the end or a closing brace, with a gap where a space parts two factors."""
    before = "<mo>"
    while tokens.next and tokens.next != "}":
        is_apart = tokens.next.isspace()
        if is_apart:
            tokens.take()
        part = _scripted(tokens)
        if is_apart and not before.startswith("<mo") and not part.startswith("<mo"):
            yield _GAP
        yield part
        before = part


def _scripted(tokens: _Tokens) -> str:
    token = tokens.next
    base = _atom(tokens)
    scripts = {}
    while tokens.next in ("_", "^"):
        place = tokens.take()
        scripts[place] = _atom(tokens)
    kind = {"": "", "_": "sub", "^": "sup", "_^": "subsup"}["".join(sorted(scripts, reverse=True))]
    if token in "∏∑" and kind == "subsup":
        kind = "underover"
    return f"<m{kind}>{base}{scripts.get('_', '')}{scripts.get('^', '')}</m{kind}>" if kind else base


def _atom(tokens: _Tokens) -> str:
    token = tokens.take()
    if token == "frac":
        return f"<mfrac>{_atom(tokens)}{_atom(tokens)}</mfrac>"
    if token == "{":
        inside = "".join(_sequence(tokens))
        tokens.take()
        return f"<mrow>{inside}</mrow>"
    if token.isdigit():
        return f"<mn>{token}</mn>"
    if token in _NAMES or (token.isalpha() and len(token) == 1):
        return f"<mi>{token}</mi>"
    if token.isalpha():
        return f"<mrow>{''.join(f'<mi>{letter}</mi>' for letter in token)}</mrow>"
    fixed = ' stretchy="false"' if token in "()|‖" else ""
    return f"<mo{fixed}>{'−' if token == '-' else escape(token)}</mo>"
