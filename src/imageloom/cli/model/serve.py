"""``imageloom serve``."""

import os
from typing import TYPE_CHECKING, Final

import click
from rich.console import RenderableType

from imageloom.cli.call import Call, Outcome, call_command
from imageloom.cli.flags import parameter_options, read_params
from imageloom.cli.lost_runs import tell_if_lost
from imageloom.cli.places import PathType, place_option
from imageloom.cli.screen import line, print_all, stdout_console
from imageloom.errors import printable
from imageloom.preprocessing.similar_names import shown
from imageloom.serving.params import ServeParams
from imageloom.system.wording import count, some

if TYPE_CHECKING:
    from imageloom.serving.serve import Serving

_UNENCRYPTED: Final = "no encryption of its own: put a proxy with TLS in front"


@call_command(
    "serve",
    examples=(
        "imageloom serve run",
        "imageloom serve run/model --name flowers --listen 127.0.0.1:9000",
        "imageloom serve run --listen 0.0.0.0:8470 --token-file token.txt",
    ),
)
@click.argument("model", metavar="RUN", type=PathType())
@click.option(
    "--listen",
    metavar="HOST:PORT",
    help="Where to listen. What a network reaches needs a token.  [default: 127.0.0.1:8470]",
)
@click.option(
    "--name",
    metavar="NAME",
    help="Under which name programs ask for the model.  [default: that of the folder]",
)
@place_option(
    "--token-file",
    "token_file",
    "A file that holds the token which every request must show; or set IMAGELOOM_SERVE_TOKEN.",
    required=False,
    metavar="FILE",
)
@parameter_options(ServeParams, section="Serving")
def command(call: Call) -> Outcome:
    """Let a trained model answer over HTTP.

    RUN is a run, or a trained model directory. Pictures are sent as files to /predict, or by Open
    Inference v2, as Triton and KServe speak it; each is answered with the probabilities that
    'imageloom score' writes. Ctrl+C or SIGTERM answers what was taken and ends it.
    """
    from imageloom.server.site import NetworkPlace
    from imageloom.serving.door import read_token
    from imageloom.serving.serve import DEFAULT_PLACE, ServingSetup, serving

    call.first_answer = "answering what was taken, then stopping."
    tell_if_lost(call, call.path("model"))
    setup = ServingSetup(
        model=call.path("model"),
        place=NetworkPlace.of(call.text("listen")) if "listen" in call.arguments else DEFAULT_PLACE,
        name=call.text("name") if "name" in call.arguments else "",
        token=read_token(
            call.path("token_file") if "token_file" in call.arguments else None,
            os.environ,
            call.on_event,
        ),
        params=read_params(ServeParams, call.arguments),
    )
    with serving(setup, call.control) as ready:
        call.on_event.close()
        print_all(stdout_console(), _about(ready, setup.token))
        ready.run(call.control)
    return Outcome(content={"address": ready.address, "model": ready.model.name}, screen=())


def _about(ready: "Serving", token: str) -> list[RenderableType]:
    model, used = ready.model, ready.model.used
    names = some([printable(shown(name)) for name in model.classes])
    header = "-H 'Authorization: Bearer TOKEN' " if token else ""
    # Those that stand for all addresses are none that one could ask.
    here = ready.address.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")
    return [
        line("Serving", ready.address),
        line("Model", f"{model.name}: {used.model.architecture.title}, {model.input_size} px"),
        line("Classes", f"{count(len(model.classes), 'class', 'classes')}: {names}"),
        line("Device", f"{used.compute.device}, {used.compute.precision}"),
        line("Try", f"curl {header}--data-binary @photo.jpg {here}predict"),
        *([line("Network", _UNENCRYPTED)] if token else []),
        line("Stop", "Ctrl+C; what was taken is answered first"),
    ]
