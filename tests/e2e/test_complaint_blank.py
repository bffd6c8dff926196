"""A complaint whose subject is blank is one all the same: a record needs one that is not."""
import pytest

from test_complaint import _folder, case, form, house_of, track  # noqa: F401 (a fixture)


@pytest.fixture
def house(start, tmp_path, folder):
    return house_of(start, tmp_path, folder)


def test_a_blank_subject_becomes_the_first_line_that_is_not(house):
    for number, subject, text, wanted in (
        (1, " \u3000", "\r\n \u200b\r\nthe bag was torn\nsee below", "the bag was torn"),
        (2, "\u00a0", " \n\t\n", "Complaint"),
        (3, " " * 400 + "far away", "near", "near"),
        (4, "Late", "  ", "Late"),
    ):
        track(house, "Complaint Submitted", subject=subject, text=text)
        assert case(house, number)["fields"]["subject"] == wanted


def test_the_form_says_that_it_needs_one(house):
    answer = form(house, email="u-1@example.com", subject=" \u3000 ", text="torn")
    assert answer.status == 422 and "`subject` is needed" in answer.json["detail"]
