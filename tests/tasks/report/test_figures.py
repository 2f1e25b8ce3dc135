import io

import numpy as np
import pytest

from tasks.report.attempt_figures import draw_coverage, draw_curves
from tasks.report.drawing import save_figure
from tasks.report.model_figures import (
    TradeOff,
    draw_class_accuracy,
    draw_confidences,
    draw_roc,
    draw_trade_off,
)
from unlearn_core.errors import UsageError
from unlearn_core.records.result import Coverage, Curve, ParameterCoverage

MODELS = ("original", "unlearned", "retrained")
SCORES = np.linspace(0, 1, 40)


def coverage_of(*names):
    share = 1 / len(names)
    return Coverage(
        parameters=tuple(
            ParameterCoverage(parameter=name, treatment="projected", elements=1, share=share)
            for name in names
        )
    )


def class_accuracy():
    return draw_class_accuracy(
        dict.fromkeys(MODELS, (1.0, 0.0, 0.5)), ("airplane", "automobile", "cat"), forgotten=(1,)
    )


def confidences():
    return draw_confidences(dict.fromkeys(MODELS, SCORES), dict.fromkeys(MODELS, SCORES[:7]))


def roc():
    return draw_roc({"original": (SCORES + 2, SCORES), "retrained": (SCORES, SCORES)})


def trade_off():
    return draw_trade_off(
        {
            "original": TradeOff(0.9, 0.95),
            "retrained": TradeOff((0.0, 0.1), (0.9, 1.0)),
            "pgu": TradeOff((0.1, 0.3), (0.8, 0.9)),
        }
    )


FIGURES = {
    "class accuracy": class_accuracy,
    "confidences": confidences,
    "roc": roc,
    "trade-off": trade_off,
    "coverage": lambda: draw_coverage(coverage_of("conv.weight", "conv.bias", "head.weight")),
    "curves": lambda: draw_curves(
        [Curve(name="forget_loss", values=(1.0, 2.0)), Curve(name="one", values=(1.0,))]
    ),
}


def png(figure):
    stream = io.BytesIO()
    figure.savefig(stream, format="png")
    return stream.getvalue()


def legend(figure):
    holders = [*figure.legends, *(axes.get_legend() for axes in figure.axes if axes.get_legend())]
    return [text.get_text() for holder in holders for text in holder.get_texts()]


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_drawn_without_complaint(name):
    assert png(FIGURES[name]()).startswith(b"\x89PNG")


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_says_what_it_shows_and_in_which_unit(name):
    figure = FIGURES[name]()
    assert figure.get_suptitle()
    assert any(axes.get_xlabel() for axes in figure.axes)
    assert figure.axes[0].get_ylabel()


@pytest.mark.parametrize("name", FIGURES)
def test_equal_figures_are_equal_files(name, tmp_path):
    for copy in ("a.png", "b.png"):
        save_figure(FIGURES[name](), tmp_path / "new" / copy)
    assert (tmp_path / "new" / "a.png").read_bytes() == (tmp_path / "new" / "b.png").read_bytes()


@pytest.mark.parametrize("name", FIGURES)
def test_the_global_state_of_pyplot_stays_untouched(name):
    from matplotlib import _pylab_helpers

    FIGURES[name]()
    assert not _pylab_helpers.Gcf.figs


def test_the_roc_names_each_auc_and_the_chance_line():
    assert legend(roc()) == ["chance (AUC 0.50)", "original (AUC 1.00)", "retrained (AUC 0.50)"]


def test_a_class_at_zero_is_told_from_one_that_was_not_measured():
    (axes,) = class_accuracy().axes
    assert [text.get_text() for text in axes.texts] == ["0", "0", "0"]


def test_forgotten_classes_are_marked_once_in_the_legend():
    figure = draw_class_accuracy({"original": (1.0, 1.0)}, ("a", "b"), forgotten=(0, 1))
    assert legend(figure) == ["forgotten class", "original"]


def test_histograms_are_shares_of_their_own_samples():
    never_seen = [patch.get_height() for patch in confidences().axes[0].patches[:20]]
    assert sum(never_seen) == pytest.approx(100)


def test_every_method_has_a_look_of_its_own():
    methods = {f"method {n}": TradeOff(0.1, 0.9) for n in range(12)}
    figure = draw_trade_off({**methods, "original": TradeOff(0.9, 0.9), "retrained": TradeOff(0.0, 0.9)})
    looks = {(c.lines[0].get_marker(), c.lines[0].get_color()) for c in figure.axes[0].containers}
    assert len(looks) == 14


def test_the_bars_of_the_trade_off_reach_from_the_lowest_to_the_highest_run():
    figure = trade_off()
    (segment,) = figure.axes[0].containers[2].lines[2][0].get_segments()
    np.testing.assert_allclose(segment[:, 0], (10, 30))
    assert "of 2 runs" in figure.get_suptitle()


def test_a_trade_off_without_its_target_is_refused():
    with pytest.raises(UsageError, match="'retrained' is not among pgu"):
        draw_trade_off({"pgu": TradeOff(0.1, 0.9)})


def rows_drawn(figure):
    return [label.get_text() for label in figure.axes[0].get_yticklabels()]


def test_coverage_is_drawn_by_layer_in_the_order_of_the_model():
    figure = draw_coverage(coverage_of("stem.weight", "block.conv.weight", "block.conv.bias", "scale"))
    assert rows_drawn(figure) == ["stem", "block.conv", "scale"]


def test_a_deep_model_is_drawn_by_blocks():
    names = [f"layer{n}.{m}.conv.weight" for n in range(4) for m in range(20)]
    assert rows_drawn(draw_coverage(coverage_of(*names))) == ["layer0", "layer1", "layer2", "layer3"]


def test_the_coverage_legend_tells_the_share_of_each_treatment():
    text = legend(draw_coverage(coverage_of("a.weight", "b.weight")))
    assert text[0] == "projected – edited inside a subspace: 100.0 %"
    assert text[3].endswith(": 0.0 %")


def test_each_curve_has_its_own_panel():
    figure = FIGURES["curves"]()
    assert [axes.get_ylabel() for axes in figure.axes] == ["loss on the forgotten data", "one"]
