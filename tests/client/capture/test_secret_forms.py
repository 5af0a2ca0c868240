"""Every form in which a secret is written down is masked, and code that has none stays as it is."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path

import pytest

import tracking
from tracking.client.capture.secret_lines import mask_addresses, mask_text
from tracking.client.capture.secret_names import is_secret_file
from tracking.client.capture.secrets import mask_arguments

S = "q8w7e6r5t4y3hunter2"

FORMS = {
    "assigned call": f'client = OpenAI(api_key="{S}")',
    "awaited call": f'x = await connect(user="me", password="{S}")',
    "second pair": f"x = dict(apikey='{S}', lr=1, clientSecret=\"{S}\")",
    "after a colon": f'if x: password = "{S}"',
    "call in a call": f'a = f(g(lr=1), h(token=get(), password="{S}"))',
    "annotated": f'def f(x: int = 1, api_key: str = "{S}") -> None:',
    "setdefault": f'os.environ.setdefault("WANDB_API_KEY", "{S}")',
    "getenv": f"getenv('TOKEN','{S}')",
    "assigned getenv": f'x = os.getenv("TOKEN", "{S}")',
    "argparse": f'parser.add_argument("--token", type=str, default="{S}")',
    "argparse on lines": f'parser.add_argument(\n    "--token",\n    default="{S}",\n)',
    "list of arguments": f'run(["train", "--token", "{S}"])',
    "command": f"curl --token {S} https://example.org",
    "header": f'headers = {{"X-Api-Key": "{S}"}}',
    "authorization": f'headers = {{"Authorization": "Basic {S}"}}',
    "subscript": f'x = 1; os.environ["OPENAI_API_KEY"] = "{S}"',
    "connection string": f'conn = "Server=h;Database=d;User Id=u;Password={S};"',
    "account key": f'azure="DefaultEndpointsProtocol=https;AccountName=a;AccountKey={S}==;"',
    "keyword string": f'conn = "host=x password={S} user=u"',
    "query": f'url = "https://host/x?access_token={S}&a=1"',
    "relative query": f'get("/x?a=1&api_key={S}")',
    "signed address": f'url = "https://b.s3.amazonaws.com/x?X-Amz-Signature={S}&X-Amz-Date=1"',
    "webhook": f'x = "https://hooks.slack.com/services/T0/B0/{S}"',
    "login": f'wandb.login(key="{S}")',
    "assigned login": f'ok = wandb.login(relogin=True, key="{S}")',
    "yaml pass": f"db:\n  pass: {S}",
    "yaml block": f"secret: |\n  {S}\n  {S}",
    "yaml folded in a diff": f"+  secret: >-\n+    {S}\n+    {S}",
    "yaml list": f"passwords:\n  - {S}\n  - {S}",
    "yaml next line": f"password:\n  {S}",
    "name and value": f"- name: DB_PASSWORD\n  value: {S}",
    "name and value in json": f'{{"name": "API_KEY", "value": "{S}"}}',
    "json next line": f'"password":\n  "{S}",',
    "json in a string": f'x = "{{\\"api_key\\": \\"{S}\\"}}"',
    "notebook": f'   "password = \\"{S}\\"\\n",',
    "json next line, closed": f'"token":\n  "{S}"}}',
    "python next line": f'PASSWORD = (\n    "{S}"\n)',
    "call on lines": f'password = getenv(\n    "X",\n    "{S}",\n)',
    "backslash": f'PASSWORD = \\\n    "{S}"',
    "two strings": f'PASSWORD = "abc" "{S}"',
    "added strings": f'PASSWORD = "abc" + "{S}"',
    "escaped quote": f'PASSWORD = "a\\"{S}"',
    "many lines": f'SECRET_KEY = """abc\n{S}"""',
    "many lines in a diff": f'+SECRET_KEY = """{S}\n+{S}\n+"""',
    "unclosed": f"PASSWORD='abc\n{S}'",
    "comma in a value": f"PASSWORD=ab,{S}",
    "hash in a value": f"PASSWORD=ab#{S}",
    "bracket in a value": f"PASSWORD=ab({S}",
    "tuple": f'user, password = "me", "{S}"',
    "one-line key": f'k="-----BEGIN RSA PRIVATE KEY-----\\n{S}\\n-----END RSA PRIVATE KEY-----"',
    "dotted": f"openai.api_key = '{S}'",
    "db_pass": f'db_pass = "{S}"',
    "toml": f"[db]\npwd = '{S}'",
    "login alone": f'wandb.login("{S}")',
    "setter": f"HfFolder.save_token('{S}')",
    "xml element": f"  <password>{S}</password>",
    "xml": f'<add key="Password" value="{S}"/>',
    "dockerfile": f"ENV OPENAI_API_KEY={S}",
    "walrus": f'if (token := "{S}"):',
    "stripe": "x = 'sk_" + f"live_{S.replace('_', '')}'",
    "sendgrid": "x = 'SG." + f"{S}.{S}'",
    "groq": f"x = 'gsk_{S}aa'",
}


@pytest.mark.parametrize("line", FORMS.values(), ids=FORMS.keys())
def test_every_form_is_masked(line: str) -> None:
    masked = mask_text(f"before = 1\n{line}\nafter = 2\n")
    assert "hunter2" not in masked, masked
    assert "***" in masked
    assert masked.startswith("before = 1\n")
    assert masked.endswith("after = 2\n")
    assert len(masked.splitlines()) == len(line.splitlines()) + 2


@pytest.mark.parametrize("line", FORMS.values(), ids=FORMS.keys())
def test_every_form_is_masked_when_it_was_added(line: str) -> None:
    added = "".join(f"+{part}\n" for part in line.removeprefix("+").replace("\n+", "\n").split("\n"))
    assert "hunter2" not in mask_text(f"@@ -1 +1,9 @@\n{added} after = 2\n")


HARMLESS = [
    'tokenizer = AutoTokenizer.from_pretrained("bert", use_fast=True)',
    "x = f(tokenizer='bert', num_tokens=512, pad_token='<pad>', max_token=3, key_dim=64, lr=0.1)",
    '{"tokenizer": "bert", "num_tokens": 5, "pad_token": "<pad>", "key_dim": 8}',
    "loss = forward_pass(x)\nbackward_pass = 'slow'",
    'class Credentials:\n    """What a person logs in with."""\n    name: str',
    "if not token:\n    return\nx = 'a'",
    "def password(self) -> str:\n    return 'word'",
    "except KeyError: pass\nx = 'plain'",
    'parser.add_argument("--lr", default="0.1")',
    'sorted(rows, key="name")',
    "- name: MODEL\n  value: bert",
    "url = 'https://host/x?page=2&sort_key=a'",
    'x = d.get("tokenizer", "bert")',
    'if text.startswith("-----BEGIN PRIVATE KEY-----"):\n    x = f(1)\n    y = "kept"',
    "token: str\nname: str = 'kept'",
    "tokens: list[Token] = []\nsecret: list[str] = []",
    "python -m tracking export losses.csv --history --key loss",
    'parser.add_argument("--key", default="loss")',
    "with `?key=` on any address",
    "@@ -1 +1 @@\n x = 'kept'",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_secret_stays(text: str) -> None:
    masked = mask_text(text)
    if "BEGIN" in text:
        assert 'y = "kept"' in masked
    else:
        assert masked == text


def test_what_stands_beside_a_secret_stays() -> None:
    masked = mask_text('run = init(project="p", api_key="hunter2", lr=0.1, name="n")  # why\n')
    assert masked == 'run = init(project="p", api_key="***", lr=0.1, name="n")  # why\n'
    assert (
        mask_text('c = "Server=h;Password=hunter2;Database=d"\n')
        == 'c = "Server=h;Password=***;Database=d"\n'
    )
    assert mask_text("f(token=a,num_tokens=2)\n") == "f(token=***,num_tokens=2)\n"


def test_what_a_hunk_leaves_open_ends_with_it() -> None:
    text = '+SECRET = """abc\n@@ -9 +9 @@\n+x = 1\ndiff --git a/b b/b\n+y = 2\n'
    assert mask_text(text).endswith("@@ -9 +9 @@\n+x = 1\ndiff --git a/b b/b\n+y = 2\n")


ARGUMENTS = {
    "header": ["--header", f"Authorization: Basic {S}"],
    "short header": ["-H", "Authorization: Basic hunter2"],
    "api header": ["-H", f"X-Api-Key: {S}"],
    "hydra": [f'cfg={{"api_key": "{S}"}}'],
    "bare hydra": [f"+model.cfg={{api_key:{S},lr:1}}"],
    "connection": ["--conn", f"host=x password={S} user=u"],
    "pwd": ["--pwd", S],
    "passwd": [f"--passwd={S}"],
    "openai": ["--openai-key", S],
    "key": ["--key", S],
    "key=": [f"--key={S}"],
    "address": [f"https://x/y?token={S}"],
    "command": [f"train --token {S}"],
}


@pytest.mark.parametrize("arguments", ARGUMENTS.values(), ids=ARGUMENTS.keys())
def test_arguments_are_masked(arguments: list[str]) -> None:
    masked = mask_arguments(["train.py", *arguments, "--lr", "0.1"])
    assert "hunter2" not in " ".join(masked)
    assert masked[0] == "train.py"
    assert masked[-2:] == ["--lr", "0.1"]


def test_harmless_arguments_stay() -> None:
    given = [
        "--tokenizer",
        "bert",
        "--sort-key",
        "loss",
        "--pad-token",
        "<pad>",
        "--key-dim=8",
        "--num-tokens",
        "5",
    ]
    assert mask_arguments(given) == given


def test_params_that_hold_commands(store_folder: Path) -> None:
    given = {
        "args": ["--token", S, f"--api-key={S}", "--lr", 0.1],
        "cmd": f"train --token {S} --lr 1",
        "hdr": f"Bearer {S}",
        "cfg": f'{{"api_key": "{S}", "lr": 1}}',
        "conn": f"Server=h;Password={S};",
        "url": f"https://x/y?sig={S}&v=1",
        "nested": {"args": [["--password", S]]},
        "prompt": "Answer with one token: yes or no.",
        "tokenizer": "bert-base",
        "names": ["key", "token", "value"],
        "flags": ["--tokenizer", "bert", "--num-tokens", 5],
    }
    with pytest.warns(tracking.TrackingWarning, match="looks like a secret"):
        with tracking.start_run(params=given, store=store_folder, capture=False) as run:
            pass
    with tracking.open_store(store_folder) as store:
        params = store.run(run.id).params
    assert "hunter2" not in json.dumps(params, default=str)
    assert params["args"] == ["--token", "***", "--api-key=***", "--lr", 0.1]
    assert params["cmd"] == "train --token *** --lr 1"
    for name in ("prompt", "tokenizer", "names", "flags"):
        assert params[name] == given[name]


def test_addresses_of_datasets(store_folder: Path) -> None:
    source = f"https://me:{S}@x/y?X-Amz-Signature={S}&token={S}&api_key={S}&split=train#access_token={S}"
    masked = mask_addresses(source)
    assert masked == (
        "https://***@x/y?X-Amz-Signature=***&token=***&api_key=***&split=train#access_token=***"
    )
    with tracking.start_run(store=store_folder, capture=False) as run:
        run.log_dataset({"a": [1, 2]}, "train", source=source)
    assert not [
        path for path in store_folder.rglob("*") if path.is_file() and b"hunter2" in path.read_bytes()
    ], run.id


FILES = (
    "env/x.env.production .docker/config.json .kube/config .ssh/config terraform.tfvars htpasswd vault.yml "
    ".aws_creds token.txt password.txt a/b/.aws/config infra/prod.tfvars.json creds.json"
).split()


@pytest.mark.parametrize("name", FILES)
def test_files_of_secrets(name: str) -> None:
    assert is_secret_file(name)
    assert is_secret_file(f"deep/{name.upper()}")


@pytest.mark.parametrize(
    "name",
    ["config.json", "kube/config.py", "tokenizer.json", "environment.yml", "tokens.txt", "password.md/x.py"],
)
def test_files_of_anything_else(name: str) -> None:
    assert not is_secret_file(name)


def test_a_diff_of_5_mb_is_quick() -> None:
    seed = random.Random(1)
    lines = [f"+    {line}\n" for form in FORMS.values() for line in form.split("\n")]
    code = [
        f"+        self.layer_{n} = Linear({n}, key_dim={n}, name='x{n}', tokens=[1, 2])\n"
        for n in range(400)
    ]
    parts: list[str] = []
    size = 0
    while size < 5 << 20:
        parts.append(seed.choice(lines) if seed.random() < 0.05 else seed.choice(code))
        size += len(parts[-1])
    began = time.process_time()
    mask_text("".join(parts))
    assert time.process_time() - began < 3


@pytest.mark.parametrize(
    "line",
    [
        "password=" * 100_000,
        "password(" * 100_000,
        'token=f("' * 100_000,
        '"--token", ' * 100_000,
        "--token " * 100_000,
        "?token=" * 100_000,
        "a=" * 400_000 + "token",
        "name: key: value: " * 50_000,
        'x="' + "\\" * 500_000,
        'token="' + "a\\" * 500_000,
        "token " + " " * 1_000_000,
        "-----BEGIN PRIVATE KEY-----" * 30_000,
        "token: " + "a " * 400_000,
        "<token>" * 100_000 + "</",
        'login("' * 100_000,
    ],
    ids=lambda line: line[:12],
)
def test_a_long_line_takes_time_in_proportion(line: str) -> None:
    began = time.process_time()
    mask_text(line)
    assert time.process_time() - began < 3
