/* The cutover in small (model/examples/small_cutover.py) with 2 documents and 3 versions, written by hand for SPIN,
   to hold the exported model against. A place in the process for each phase, bytes, C code on one packed word: none was
   faster than few bits, one step for what a client writes next, and messages as sets of bits.

       spin -a -o2 small_cutover_by_hand.pml
       gcc -O2 -DSAFETY -DNOFAIR -DNOCLAIM -DNOREDUCE -DNOCOMP -DNOVSZ -DNOBOUNDCHECK -o pan pan.c
       ./pan -m10000 -w23

   6,352,374 states; 61,101,356 transitions, and one more as SPIN counts: the start state. */

#define BEFORE 0
#define DUAL   1
#define SEALED 2
#define DELTA  3
#define ACTIVE 4
#define DONE   5

#define UNREAD 0
#define SENT   1
#define LANDED 2

#define larger(a, b) (a > b -> a : b)

unsigned phase : 3 = BEFORE;
unsigned issued_0 : 2, issued_1 : 2;  /* versions: 1 to 3, 0 is none */
unsigned acked_0 : 2, acked_1 : 2;
unsigned old_0 : 2, old_1 : 2;
unsigned new_0 : 2, new_1 : 2;
unsigned to_old_0 : 3, to_old_1 : 3;  /* bit n: version n + 1 is on its way */
unsigned to_new_0 : 3, to_new_1 : 3;
unsigned page_0 : 2, page_1 : 2;
unsigned holds_0 : 2, holds_1 : 2;

#define DOCUMENT(issued, acked, old, new, to_old, to_new, page, holds) \
    :: d_step { issued < 3 && phase != SEALED && phase != DELTA -> \
                to_old = to_old | ((phase < SEALED) << issued); \
                to_new = to_new | ((phase != BEFORE) << issued); \
                issued = issued + 1 } \
    :: d_step { old > acked -> acked = old } \
    :: d_step { phase >= ACTIVE && new > acked -> acked = new } \
    :: d_step { to_old & 1 -> to_old = to_old & 6; old = larger(old, 1) } \
    :: d_step { to_old & 2 -> to_old = to_old & 5; old = larger(old, 2) } \
    :: d_step { to_old & 4 -> to_old = to_old & 3; old = 3 } \
    :: d_step { to_new & 1 -> to_new = to_new & 6; new = larger(new, 1) } \
    :: d_step { to_new & 2 -> to_new = to_new & 5; new = larger(new, 2) } \
    :: d_step { to_new & 4 -> to_new = to_new & 3; new = 3 } \
    :: d_step { to_new & 1 -> to_new = to_new & 6 } \
    :: d_step { to_new & 2 -> to_new = to_new & 5 } \
    :: d_step { to_new & 4 -> to_new = to_new & 3 } \
    :: d_step { page == SENT -> page = LANDED; new = larger(new, holds); holds = 0 } \
    :: d_step { phase == DUAL && page == UNREAD -> page = SENT; holds = old } \
    :: d_step { phase == DELTA && page == LANDED && new < old -> page = SENT; holds = old }

active proctype small_cutover() {
end:
    do
    DOCUMENT(issued_0, acked_0, old_0, new_0, to_old_0, to_new_0, page_0, holds_0)
    DOCUMENT(issued_1, acked_1, old_1, new_1, to_old_1, to_new_1, page_1, holds_1)
    :: d_step { phase == BEFORE -> phase = DUAL }
    :: d_step { phase == DUAL && page_0 == LANDED && page_1 == LANDED -> phase = SEALED }
    :: d_step { phase == SEALED && to_old_0 == 0 && to_old_1 == 0 -> phase = DELTA }
    :: d_step { phase == DELTA && new_0 >= old_0 && new_1 >= old_1 -> phase = ACTIVE }
    :: d_step { phase == ACTIVE -> phase = DONE; old_0 = 0; old_1 = 0 }
    od
}
