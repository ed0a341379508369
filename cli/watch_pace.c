/* The pace of watch. A change that comes alone is taken at once, and so are the first of several: each round is a debt
 * of its own length, which idle time pays off, and a round begins while the debt is small. Under a stream of changes
 * that makes every round followed by a rest as long as the round: at most half of a processor, and of the database's
 * attention, is spent, and what comes meanwhile is taken by one round together. A rest longer than a quarter of a
 * second would save little, and people would notice it: that is all that the longest round costs. */
#include "watch_pace.h"

enum {
	CREDIT = 250, /* work that need not be rested for at once */
	REST_MOST = 250,
	MINUTE = 60 * 1000, /* a timer knows nothing of the database's clock, of clocks that are set, and of sleep */
	RETRY_FIRST = 100,
	RETRY_MOST = 10 * 1000,
	RETRY_DOUBLINGS = 7, /* 100 << 7 is above the most */
};

void pace_begin(struct pace *pace)
{
	pace->wanted = false;
}

void pace_done(struct pace *pace, uint64_t began, uint64_t ended, uint64_t edge)
{
	uint64_t debt = (pace->paid > began ? pace->paid - began : 0) + (ended - began);

	if (debt > CREDIT + REST_MOST)
		debt = CREDIT + REST_MOST;
	pace->failures = 0;
	pace->paid = ended + debt;
	pace->rest = ended + (debt > CREDIT ? debt - CREDIT : 0);
	pace->due = ended + (edge < MINUTE ? edge : MINUTE);
}

/* Half of the delay is left to chance: many who lost the same database must not come back in step. */
void pace_failed(struct pace *pace, uint64_t now, unsigned chance)
{
	unsigned doublings = pace->failures < RETRY_DOUBLINGS ? pace->failures : RETRY_DOUBLINGS;
	uint64_t delay = (uint64_t)RETRY_FIRST << doublings;

	if (delay > RETRY_MOST)
		delay = RETRY_MOST;
	pace->failures++;
	pace->wanted = true;
	pace->rest = now + delay / 2 + chance % (delay / 2 + 1);
}

void pace_hurry(struct pace *pace)
{
	pace->wanted = true;
	pace->rest = 0;
}

uint64_t pace_wait(const struct pace *pace, uint64_t now)
{
	uint64_t begins = !pace->wanted && pace->due > pace->rest ? pace->due : pace->rest;

	return begins > now ? begins - now : 0;
}
