"""A token goes round a ring; who has it reads and writes a number in a store. Tokens are lost, and made again.

The node that makes them cannot tell a lost token from a slow one, so there may be several. Each has the next number,
and the store refuses what comes with a lower number than it has seen, when it is read as well as when it is written.
"""

from cutproof.model.language import (
    action, always, any_of, boolean, can_always, choose, count, family, guard, implies, invariant,
    put, sometimes, when,
)  # fmt: skip
from cutproof.model.protocol import Protocol

MAKER = 0  # the node that makes tokens


def ring(nodes: int = 3, tokens: int = 3, writes: int = 2, wrong: bool = False) -> Protocol:
    def has_token(s, node):
        return guard("has a token", s.token[node] > 0)

    def not_fenced(s, node):
        return guard("no newer token was seen", s.token[node] >= s.seen)

    @action
    def arrive(s, node, number):
        """A token arrives; a node that has one lets it wait."""
        return when(guard("under way", s.coming[node][number]), guard("has none", s.token[node] == 0)).then(
            coming=put(s.coming, (node, number), False), token=put(s.token, node, number)
        )

    @action
    def read(s, node):
        """The node that has the token reads, and the store sees the token's number."""
        more = guard("more to do", s.value < writes)
        return when(has_token(s, node), guard("has not read", ~s.reads[node]), not_fenced(s, node), more).then(
            reads=put(s.reads, node, True), copy=put(s.copy, node, s.value), seen=s.token[node]
        )

    @action
    def write(s, node):
        """It writes one more than it read, some time later."""
        return when(guard("has read", s.reads[node]), not_fenced(s, node)).then(
            value=s.copy[node] + 1, written=s.written + 1,
            reads=put(s.reads, node, False), copy=put(s.copy, node, 0), wrote=put(s.wrote, node, True),
        )  # fmt: skip

    def pass_to(s, node, number):
        return {
            "token": put(s.token, node, 0), "wrote": put(s.wrote, node, False),
            "coming": put(s.coming, ((node + 1) % nodes, number), True),
        }  # fmt: skip

    @action
    def pass_on(s, node, number):
        """A node that wrote passes the token on."""
        free = guard("has not read", ~s.reads[node])
        return when(guard("has it", s.token[node] == number), free, guard("wrote", s.wrote[node])).then(
            **pass_to(s, node, number)
        )

    @action(choice=True)
    def let_pass(s, node, number):
        """A node that has nothing to write passes the token on."""
        return when(guard("has it", s.token[node] == number), guard("has not read", ~s.reads[node])).then(
            **pass_to(s, node, number)
        )

    @action
    def give_up(s, node):
        """The store refuses a token that is too old: it is thrown away, and what was read with it."""
        return when(has_token(s, node), guard("a newer token was seen", s.token[node] < s.seen)).then(
            token=put(s.token, node, 0), reads=put(s.reads, node, False), copy=put(s.copy, node, 0),
            wrote=put(s.wrote, node, False),
        )  # fmt: skip

    @action(fault="loss")
    def lose(s, node, number):
        """A token is lost on its way: as often as it can be made again."""
        return when(
            guard("under way", s.coming[node][number]), guard("within the bound", s.made < tokens)
        ).then(coming=put(s.coming, (node, number), False))

    @action
    def make_again(s, number):
        """The maker has seen no token for long: it makes one with the next number. It may be wrong."""
        return when(guard("the next", s.made + 1 == number)).then(
            made=number, coming=put(s.coming, (MAKER, number), True)
        )

    @always
    def no_lost_update(s):
        """Every write that the store took is in the number."""
        return s.value == s.written

    @sometimes
    def two_tokens(s, node, other):
        """Two nodes have a token, and one of them has read."""
        return (s.token[node] > 0) & (s.token[other] > s.token[node]) & s.reads[node]

    @can_always(cycles=False)
    def all_written(s):
        """All writes can still be done."""
        return s.value == writes

    @invariant
    def each_token_once(s, node, other, number):
        """A token is in one place."""
        if node == other:
            return ~((s.token[node] == number) & s.coming[node][number])
        here, there = ((s.token[n] == number) | s.coming[n][number] for n in (node, other))
        return ~(here & there)

    @invariant
    def tokens_were_made(s, node, number):
        """Nobody has, and the store has not seen, a token that was not made."""
        return implies((s.token[node] == number) | s.coming[node][number], s.made >= number) & (s.seen <= s.made)

    @invariant
    def what_was_read_is_true(s, node):
        """Who has read, and is not refused yet, has the number that is in the store."""
        return implies(s.reads[node], (s.token[node] > 0) & (s.token[node] <= s.seen)) & implies(
            s.reads[node] & (s.token[node] == s.seen), s.copy[node] == s.value
        )

    @invariant
    def copies_are_true(s, node):
        """This is wrong: who is refused may have read long ago."""
        return implies(s.reads[node], s.copy[node] == s.value)

    @invariant
    def the_last_is_there(s):
        """The token that cannot be made again is somewhere."""
        there = [(s.token[node] == tokens) | s.coming[node][tokens] for node in range(nodes)]
        return implies(s.made == tokens, any_of(*there))

    def steps_to_do(s):
        """What a write, a read, or the next step of a token lowers."""
        left, more = writes - s.value, tokens - s.made
        for node in range(nodes):
            left = left + choose(s.token[node] > 0, 2, 0) + choose(s.reads[node], 0, 1)
            for number in range(1, tokens + 1):
                left = left + choose(s.coming[node][number], 3, 0)
        return left + (writes - s.value) + more + more + more + more

    return Protocol(
        name="token_ring",
        indices={"node": range(nodes), "other": range(nodes), "number": range(1, tokens + 1)},
        variables={
            "coming": family("node", "number", of=boolean()),  # a token on its way to the node
            "token": family("node", of=count(0, tokens)),  # the number of the token that it has, or 0
            "made": count(0, tokens),
            "reads": family("node", of=boolean()),  # it has read, and not written yet
            "copy": family("node", of=count(0, writes - 1)),  # what it read
            "wrote": family("node", of=boolean()),
            "seen": count(0, tokens),  # by the store
            "value": count(0, writes),  # in the store
            "written": count(0, 2 * writes),  # how many writes the store took
        },
        actions=[arrive, read, write, pass_on, let_pass, give_up, lose, make_again],
        properties=[
            no_lost_update, two_tokens, all_written,
            each_token_once, tokens_were_made, what_was_read_is_true, the_last_is_there,
            *([copies_are_true] if wrong else []),
        ],
        measure=steps_to_do,
    )
