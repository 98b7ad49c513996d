# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The Python package: diagrams from functions, runs on numpy arrays, messages."""

import pathlib
import re

import ml_dtypes
import napkin
import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


@napkin.diagram
def attention(q: "h=2, q=70, d=64, f16", k: "h=2, x=90, d=64, f16", v: "h=2, x=90, d=64, f16"):
    scores = napkin.einsum("h q d, h x d -> h q x", q, k) * 0.125
    seen = napkin.where(napkin.index("x") <= napkin.index("q") + 20, scores, -np.inf)
    p = napkin.softmax(seen, over="x").astype("f16")
    return napkin.einsum("h q x, h x d -> h q d", p, v).astype("f16")


def random(*shape):
    return np.random.default_rng(7).standard_normal(shape)


def reference_attention(q, k, v):
    s = np.einsum("hqd,hxd->hqx", q, k) * 0.125
    hidden = np.arange(k.shape[1])[None, :] > np.arange(q.shape[1])[:, None] + 20
    s[:, hidden] = -np.inf
    p = np.exp(s - s.max(-1, keepdims=True))
    return np.einsum("hqx,hxd->hqd", p / p.sum(-1, keepdims=True), v)


def test_attention_runs_and_is_right():
    kernel = attention.compile(target="sm_80")
    q, k, v = random(2, 70, 64), random(2, 90, 64), random(2, 90, 64)
    out = kernel.run(q, k, v=v)
    assert out.dtype == np.float16 and out.shape == (2, 70, 64)
    half = [a.astype(np.float16).astype(np.float64) for a in (q, k, v)]
    np.testing.assert_allclose(out, reference_attention(*half), atol=2e-3)


def test_the_prediction_is_what_is_counted():
    kernel = attention.compile()
    execution = kernel.execute(random(2, 70, 64), random(2, 90, 64), random(2, 90, 64))
    assert execution.bytes == kernel.report.bytes
    assert len(kernel.report.kernels) == 1
    assert f"{kernel.report.bytes:,} global bytes" in str(kernel.report)
    assert "<table>" in kernel.report._repr_html_()


def test_verification():
    result = attention.compile().verify(seed=3, inputs="outliers")
    assert result and "verified" in str(result)


def test_pins_are_met_or_refused():
    pinned = attention.compile(pin_group={"q": 16}, pin_stream={"x": 32})
    assert "q/16" in pinned.report.kernels[0]["grid"]
    with pytest.raises(napkin.CompileError, match="nothing"):
        attention.compile(pin_group={"nothing": 16})


def test_elementwise_meets_numpy():
    def abs_of(value):
        return napkin.abs(value)

    @napkin.diagram
    def many(x: "n=37, k=50, f32", g: "k=50, f32", c: "n=37, i32"):
        a = napkin.exp(-abs_of(x)) + napkin.tanh(g) / 3
        b = napkin.maximum(a, 0.25) - napkin.minimum(x, g) * 2
        keep = (x > 0) & ~(napkin.index("k") < 5) | c.equals(2)
        return napkin.where(keep, b, 1 / (1 + x**2)), (x * g).sum("k"), (x + 1).max(["n", "k"])

    x, g, c = random(37, 50), random(50), np.arange(37) % 4
    x32, g32 = x.astype(np.float32), g.astype(np.float32)
    first, total, largest = many.compile().run(x, g, c)
    a = np.exp(-np.abs(x32)) + np.tanh(g32) / 3
    b = np.maximum(a, 0.25) - np.minimum(x32, g32) * 2
    keep = (x32 > 0) & ~(np.arange(50) < 5)[None, :] | (c == 2)[:, None]
    np.testing.assert_allclose(first, np.where(keep, b, 1 / (1 + x32**2)), rtol=2e-6, atol=1e-6)
    np.testing.assert_allclose(total, (x32 * g32).sum(-1), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(largest, (x32 + 1).max(), rtol=1e-6)


def test_norms_and_types():
    def norm(x, gain):
        return napkin.rms_norm(x, over="k", gain=gain), napkin.layer_norm(x, over="k", bias=gain)

    kernel = napkin.trace(norm, "n=9, k=130, bf16", gain="k=130, f32").compile()
    x, gain = random(9, 130), random(130)
    rms, layer = kernel.run(x, gain)
    assert rms.dtype == ml_dtypes.bfloat16
    wide = x.astype(ml_dtypes.bfloat16).astype(np.float64)
    np.testing.assert_allclose(
        rms.astype(np.float64), wide / np.sqrt((wide**2).mean(-1, keepdims=True) + 1e-6) * gain, atol=0.05
    )
    left = wide - wide.mean(-1, keepdims=True)
    np.testing.assert_allclose(
        layer.astype(np.float64), left / np.sqrt((left**2).mean(-1, keepdims=True) + 1e-5) + gain, atol=0.05
    )


@pytest.mark.parametrize("path", sorted(ROOT.glob("examples/row_softmax.mlir")), ids=lambda p: p.stem)
def test_text_is_as_good(path):
    kernel = napkin.compile(path.read_text(), name=str(path))
    x = random(512, 1024)
    out = kernel.run(x).astype(np.float64)
    wide = x.astype(ml_dtypes.bfloat16).astype(np.float64)
    exact = np.exp(wide) / np.exp(wide).sum(-1, keepdims=True)
    np.testing.assert_allclose(out, exact, rtol=0.01)


def test_pictures():
    picture = attention.svg()
    assert picture.startswith("<svg") and ">contract d</text>" in picture
    assert 'class="kernel"' in attention.compile().svg()


def test_axes_are_seen_in_other_ways():
    @napkin.diagram
    def packed(qkv: "s=70, t=3, n=128, f16"):
        q, k, v = (qkv.slice("t", i).split("n", h=2, d=64) for i in range(3))
        scores = napkin.einsum("s h d, x h d -> h s x", q, k.rename(s="x"))
        p = napkin.softmax(scores * 0.125, over="x").astype("f16")
        o = napkin.einsum("h s x, x h d -> s h d", p, v.rename(s="x"), dtype="f16")
        return o.join("h d", into="n")

    given = random(70, 3, 128)
    kernel = packed.compile()
    execution = kernel.execute(given)
    assert execution.bytes == kernel.report.bytes and len(kernel.report.kernels) == 1
    q, k, v = np.moveaxis(given.astype(np.float16).astype(np.float64).reshape(70, 3, 2, 64), (1, 2), (0, 1))
    p = np.exp(np.einsum("hsd,hxd->hsx", q, k) * 0.125)
    wanted = np.einsum("hsx,hxd->shd", p / p.sum(-1, keepdims=True), v).reshape(70, 128)
    (out,) = execution.results.values()
    assert out.shape == (70, 128)
    np.testing.assert_allclose(out, wanted, atol=2e-3)


def test_slices_and_what_is_put_together():
    @napkin.diagram
    def turned(x: "m=33:70, d=64, f32"):
        first, second = x.slice("d", 0, 32, "p", step=2), x.slice("d", 1, 32, "p", step=2)
        return napkin.concat(first - second, first + second, axes="p p", into="d")

    given = random(33, 64).astype(np.float32)
    kernel = turned.compile()
    assert "m=33:70" in repr(turned)
    a, b = given[:, 0::2], given[:, 1::2]
    np.testing.assert_allclose(kernel.run(given), np.concatenate([a - b, a + b], 1), atol=1e-6)
    with pytest.raises(ValueError, match="axis d=64 is not a=3 x b=20"):
        napkin.trace(lambda x: x.split("d", a=3, b=20), "m=4, d=64, f32")
    with pytest.raises(ValueError, match="has no axis 'k'"):
        napkin.trace(lambda x: x.rename(k="x"), "m=4, d=64, f32")
    with pytest.raises(ValueError, match="a size and a name of its own"):
        napkin.trace(lambda x: x.slice("d", 0, 32), "m=4, d=64, f32")
    with pytest.raises(ValueError, match="1 arrays and 2 axes"):
        napkin.trace(lambda x: napkin.concat(x, axes="d d", into="e"), "m=4, d=64, f32")
    repeated = napkin.trace(lambda x: x * 2, "m=4:0, d=8, f32").compile()
    row = random(1, 8).astype(np.float32)
    np.testing.assert_allclose(repeated.run(np.repeat(row, 4, 0)), np.repeat(row * 2, 4, 0))
    with pytest.raises(ValueError, match="have different values"):
        repeated.run(random(4, 8))


def test_messages_point_at_the_line_of_the_function():
    with pytest.raises(napkin.CompileError) as caught:
        napkin.trace(lambda x: napkin.softmax(x * 1, "k", dtype="i8"), "n=4, k=8, f32").compile()
    (message, *_) = caught.value.diagnostics
    assert message.severity == "error" and message.file == __file__ and message.line > 100


def test_wrong_diagrams_are_refused_where_they_are_written():
    def trace(function, *types):
        return napkin.trace(function, *types)

    with pytest.raises(ValueError, match="axis 'k' has 9 positions"):
        trace(lambda x, y: x + y, "k=8, f32", "k=9, f32").compile()
    with pytest.raises(ValueError, match="f16 and f32"):
        trace(lambda x, y: napkin.contract(x, y, over="k"), "a=4, k=8, f16", "k=8, b=4, f32")
    with pytest.raises(ValueError, match="'a x' are not the axes"):
        trace(lambda x, y: napkin.einsum("a x, k b -> a b", x, y), "a=4, k=8, f16", "k=8, b=4, f16")
    with pytest.raises(ValueError, match="no element type"):
        trace(lambda x: x, "a=4, float")
    with pytest.raises(TypeError, match="no truth value"):
        trace(lambda x: x if x > 0 else -x, "a=4, f32")
    with pytest.raises(TypeError, match="parameter 'x' of 'bare' has no array type"):

        @napkin.diagram
        def bare(x):
            return x


def test_wrong_arguments_are_refused():
    kernel = attention.compile()
    q, k = random(2, 70, 64), random(2, 90, 64)
    with pytest.raises(ValueError, match=re.escape("the diagram says (h=2, q=70, d=64)")):
        kernel.run(k, k, k)
    with pytest.raises(TypeError, match="input 'v' is missing"):
        kernel.run(q, k)
    with pytest.raises(TypeError, match="'w' is no input; there are q, k, v"):
        kernel.run(q, k, w=k)
    with pytest.raises(ValueError, match="values that i8 cannot hold"):
        napkin.trace(lambda x: x + 1, "n=4, i8").compile().run(np.array([1, 2, 3, 300]))


PTX = """
.version 8.0
.target sm_80
.address_size 64
.visible .entry scale(.param .u64 x, .param .f32 a, .param .u32 n) {
  .reg .pred p; .reg .b32 i, m, l; .reg .b64 at, base; .reg .f32 f, g;
  mov.u32 i, %tid.x;
  ld.param.u32 m, [n];
  setp.ge.u32 p, i, m;
  @p ret;
  ld.param.u64 base, [x];
  cvta.to.global.u64 base, base;
  mul.wide.u32 at, i, 4;
  add.u64 at, at, base;
  ld.param.f32 g, [a];
  ld.global.f32 f, [at];
  mul.f32 f, f, g;
  st.global.f32 [at], f;
  ret;
}
"""


def test_anybodys_ptx():
    x = np.arange(20, dtype=np.float32)
    execution = napkin.run_ptx(PTX, [x, 2.0, 20], grid=1, block=32)
    np.testing.assert_array_equal(x, 2 * np.arange(20))
    assert execution.bytes == 2 * x.nbytes
    with pytest.raises(napkin.Trap, match="out of bounds|out-of-bounds"):
        napkin.run_ptx(PTX, [x, 2.0, 32], grid=1, block=32)
    with pytest.raises(napkin.Refusal):
        napkin.run_ptx("no ptx at all", [], grid=1, block=1)


def test_the_page_is_true(monkeypatch):
    """Runs all that docs/python.md shows, in one session."""
    monkeypatch.chdir(ROOT)
    page = (ROOT / "docs" / "python.md").read_text()
    blocks = re.findall(r"^```python\n(.*?)^```$", page, re.M | re.S)
    assert len(blocks) >= 6
    session = {}
    for block in blocks:
        exec(compile(block, "docs/python.md", "exec"), session)


def test_largest_elements():
    @napkin.diagram
    def gate(z: "t=5, e=16, f32"):
        weights, experts = napkin.topk(napkin.softmax(z, "e"), "e", "k", 3)
        return weights / weights.sum("k"), experts

    scores = np.random.default_rng(0).standard_normal((5, 16)).astype(np.float32)
    weights, experts = gate.compile().run(scores)
    assert (experts == np.argsort(-scores, axis=1)[:, :3]).all()
    assert np.allclose(weights.sum(axis=1), 1)
    with pytest.raises(ValueError, match="no axis 'x'"):
        napkin.trace(lambda z: napkin.topk(z, "x", "k", 3)[0], "t=5, e=16, f32")
