"""What a drill makes of its streams: figures, limits, verdicts and the picture."""

from providers.drills import pictures
from providers.drills.report import Asked, Phase, Report, first_tokens, isolation, listed, quantile


def streams(provider: str, phase: Phase, *firsts: float, code: str = "") -> list[Asked]:
    return [Asked(provider, phase, number / 10, first, 1, first, code) for number, first in enumerate(firsts)]


def verdicts(asked: list[Asked]) -> list[bool]:
    return [one.passed for one in isolation(asked, "openai")]


QUIET = streams("gemini", "before", 40, 42, 44) + streams("gemini", "after", 41)


def test_the_others_pass_while_their_first_token_stays_within_its_allowance() -> None:
    found = isolation(QUIET + streams("gemini", "during", 41, 90, 290), "openai")
    assert [one.passed for one in found] == [True, True, True]
    assert found[1].wanted == "at most 91 ms: 41.0 ms and 10 %, or 50 ms where that is more"
    assert (found[1].measured, found[2].measured) == ("90.0 ms (+120 %)", "290.0 ms (+559 %)")


def test_a_later_half_and_a_late_few_are_told_apart() -> None:
    assert verdicts(QUIET + streams("gemini", "during", 92, 92, 92)) == [True, False, True]
    assert verdicts(QUIET + streams("gemini", "during", 41, 41, 41, 295)) == [True, True, False]


def test_ten_in_a_hundred_are_allowed_where_that_is_more() -> None:
    slow = streams("gemini", "before", 4000, 4000)
    assert verdicts(slow + streams("gemini", "during", 4399, 4399)) == [True, True, True]
    assert verdicts(slow + streams("gemini", "during", 4401, 4401)) == [True, False, False]


def test_one_failed_stream_of_another_provider_fails_the_drill() -> None:
    found = isolation(
        QUIET + streams("gemini", "during", 41, 41) + streams("gemini", "during", 9, code="timeout"), "openai"
    )
    assert (found[0].passed, found[0].measured) == (False, "6 of 7 (timeout 1)")


def test_nothing_measured_is_no_proof() -> None:
    assert verdicts([]) == [False, False, False]
    assert verdicts(QUIET) == [True, False, False]
    assert not Report().passed


def test_streams_of_the_failing_provider_are_no_measure() -> None:
    late = streams("openai", "during", 9000, code="timeout")
    assert verdicts(QUIET + late + streams("gemini", "during", 41)) == [True, True, True]
    assert [one.provider_id for one in first_tokens(QUIET + late, "openai")] == ["gemini"]


def test_quantiles_are_values_that_were_measured() -> None:
    values = [float(number) for number in range(1, 201)]
    assert (quantile(values, 0.5), quantile(values, 0.99), quantile([7.0], 0.99), quantile([], 0.5)) == (100, 198, 7, 0)


def test_codes_are_listed_once_each() -> None:
    assert listed(["timeout", "", "timeout"]) == "timeout 2, answered 1"
    assert listed([]) == "none"


def test_a_report_is_kept_and_drawn() -> None:
    report = Report(asked=QUIET + streams("gemini", "during", 88, 20) + streams("openai", "during", 5, code="timeout"))
    report.expect("It holds", "1", "1", passed=True)
    kept = report.as_json("openai")
    assert kept["first_token"] == [
        {
            "provider_id": "gemini",
            "baseline": {"count": 4, "p50": 41, "p99": 44},
            "drill": {"count": 2, "p50": 20, "p99": 88},
        }
    ]
    drawn = pictures.picture(kept)
    (row,) = drawn.rows
    assert (row.label, row.letter, row.count) == ("Google Gemini", "G", 6)
    assert [(one.name, one.alone_width, one.beside_width) for one in row.pairs] == [
        ("p50", 111.8, 54.5),
        ("p99", 120.0, 240.0),
    ]
    assert (len(drawn.dots), drawn.top_ms) == (6, 88)


def test_a_report_that_has_just_begun_is_an_empty_picture() -> None:
    drawn = pictures.picture({})
    assert (drawn.rows, drawn.dots, drawn.fault) == ((), (), None)
