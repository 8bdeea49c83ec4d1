import pytest

from portal.lib.file_names import clean_file_name, extension_of


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ana\\log.txt", "log.txt"),
        ("a\x00b\r\nc.txt", "ab c.txt"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("\u2066x\u2069\ufeff.txt", "x.txt"),
        ("Ünïcödé – صورة.png", "Ünïcödé – صورة.png"),
        ("می\u200cخواهم.txt", "می\u200cخواهم.txt"),
        ('a<b>:"|?*.txt', "a_b______.txt"),
        ("  . .hidden.  ", "hidden"),
        ("\ud800.txt", "txt"),
        ("", "file"),
        ("/", "file"),
        ("...", "file"),
        ("e\u0301.txt", "é.txt"),
    ],
)
def test_names_are_labels(given, kept):
    assert clean_file_name(given) == kept


def test_long_names_keep_their_ending():
    name = clean_file_name("x" * 300 + ".docx")
    assert len(name) == 200
    assert name.endswith("x.docx")
    assert len(clean_file_name("y" * 300)) == 200


@pytest.mark.parametrize(
    ("name", "ending"), [("a.PDF", "pdf"), ("a.tar.gz", "gz"), ("a", ""), (".png", ""), ("a.", "")]
)
def test_endings(name, ending):
    assert extension_of(name) == ending
