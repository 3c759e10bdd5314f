"""A sharded store, driven over stdin and stdout. A shard that moves has two copies, and writes go to both; its documents
are copied one by one, then one shard after the other changes hands. It is run by `python store.py`."""

import json
import sys

owner = []  # shard -> node
copies = []  # shard -> node -> key -> value, None if deleted: one copy, or two while the shard moves
todo = []  # keys that are still to be copied
moving = []  # shards that have not changed hands yet
target = ""  # where they move to


def shard_of(key):
    return sum(key.encode()) % len(owner)


def advance():
    went = bool(moving)
    if todo:
        shard, key = shard_of(todo[0]), todo.pop(0)
        copies[shard][target][key] = copies[shard][owner[shard]][key]
    elif moving:
        shard = moving.pop()
        del copies[shard][owner[shard]]
        owner[shard] = target
    return {"went": went, "phase": "copy" if todo else "switch" if moving else "idle"}


def answer(kind, key=None, value=None, node=None, nodes=(), shards=0, **_):
    global owner, copies, todo, moving, target
    if kind in ("init", "reset"):
        owner, todo, moving = [nodes[0]] * shards, [], []
        copies = [{nodes[0]: {}} for _ in owner]
    elif kind in ("put", "delete"):
        for copy in copies[shard_of(key)].values():
            copy[key] = value
    elif kind == "get":
        return {"value": copies[shard_of(key)][owner[shard_of(key)]].get(key)}
    elif kind == "begin_migration":
        target, moving = node, [shard for shard, now in enumerate(owner) if now != node]
        todo = [key for shard in moving for key in copies[shard][owner[shard]]]
        for shard in moving:
            copies[shard][node] = {}
        return {"phase": "copy"}
    elif kind == "advance":
        return advance()
    else:
        return {"type": "error", "code": 10}  # not supported
    return {}


for line in sys.stdin:
    message = json.loads(line)
    kind, number = message["body"].pop("type"), message["body"]["msg_id"]
    reply = {"type": f"{kind}_ok", "in_reply_to": number, **answer(kind, **message["body"])}
    print(json.dumps({"src": "s", "dest": message["src"], "body": reply}), flush=True)
