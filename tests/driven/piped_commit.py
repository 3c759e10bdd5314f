"""The two-phase commit of `commit_program.py` as a program on a pipe; its argument is a fault, or how it misbehaves."""

# ruff: noqa: E402  it is started as a program, and finds its neighbour

import json
import os
import sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__))]

from commit_program import Driver

REFUSED = 22


def state_of(driver):
    """Enumerations by name."""
    state = driver.state()
    return {**state, "rm": [rm.name for rm in state["rm"]], "tm": state["tm"].name}


def answer(driver, body, how):
    match body["type"]:
        case "init":
            found = {"type": "init_ok", "version": 2 if how == "newer" else 1}
            if how == "few":
                found["actions"] = ["prepare", "choose_to_abort"]
            return driver, {**found, "actions": ["prepair"]} if how == "misspelt" else found
        case "reset":
            driver = Driver(how)
            return driver, {"type": "reset_ok", "state": state_of(driver)}
        case "state":
            return driver, {"type": "state_ok", "state": state_of(driver)}
        case "action":
            if how == "ends":
                sys.exit(3)
            if how == "garbage":
                print("Traceback:", flush=True)
            if getattr(driver, body["name"])(**body["arguments"]):
                return driver, {"type": "action_ok", "state": state_of(driver)}
            return driver, {
                "type": "error",
                "code": 10 if how == "unsupported" else REFUSED,
                "text": "not now",
            }


how, driver = " ".join(sys.argv[1:]), None
for line in sys.stdin:
    message = json.loads(line)
    driver, body = answer(driver, message["body"], how)
    body["in_reply_to"] = message["body"]["msg_id"]
    print(json.dumps({"src": message["dest"], "dest": message["src"], "body": body}), flush=True)
