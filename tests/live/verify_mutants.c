/* One-line mutants of rendered files: verify must call different exactly those that are different, and the kernel is
 * the judge. The packet that verify gives must fare otherwise under the mutant than under the original; where it
 * gives none, packets at the edges of everything must fare alike; and what it can't read, the kernel must refuse.
 *
 * Fleets are random, without limits, which count packets. VERIFY_MUTANTS=1000 says how many. Arguments are seeds. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/verify.h"
#include "kernel.h"
#include "mutate.h"
#include "random_fleet.h"

enum { SEEDS = 4, MACHINES = 8, MUTANTS = 60, EDGES = 300, SHOWN = 10, WAYS = 2 };

struct slice {
	uint64_t seed;
	size_t mutants;
};

/* What became of a packet: with everything let through below our chains, and with nothing. */
struct fate {
	bool carried, passed[WAYS], refused[WAYS];
};

struct mutant {
	struct verify_files files;
	struct filter_text *sets;
	const char *how;
	struct verify_findings findings;
	bool unreadable, has_probe;
	bool sure; /* the packet is to conntrack what it claims to be */
	struct probe probe;
	struct fate original;
};

struct counts {
	size_t mutants, different, equal, refused, shown, not_carried, wrong;
};

struct scene {
	struct arena *arena; /* of the seed */
	struct rng rng;
	struct trial *trial;
	struct verifier *verifier;
	struct backend backend;
	struct judge *judge;
	struct str *interfaces;
	size_t interface_count;
	struct counts counts;
	uint64_t seed;
};

/* One machine, and what is tried of it. */
struct subject {
	struct scene *scene;
	struct arena *arena;
	uint32_t machine;
	const struct ruleset *ruleset;
	bool beside;
	struct filter_text *sets; /* its set files */
	size_t set_count;
	const struct filter_text *loaded; /* those of a mutant, or its own; NULL: none are */
	struct probe *edges;
	struct fate *edge_fates;
	size_t edge_count;
};

/* --- the fleet --- */

/* Rules that count packets, or that are known by the clock alone, can't be judged by sending one. */
static void without_limits(struct fleet *fleet)
{
	for (size_t i = 0; i < fleet->role_count; i++) {
		struct role *role = &fleet->roles[i];
		size_t kept = 0;

		for (size_t k = 0; k < role->rule_count; k++)
			if (role->rules[k].rule.limit_unit == LIMIT_NONE)
				role->rules[kept++] = role->rules[k];
		role->rule_count = kept;
	}
}

static void add_interfaces(struct scene *scene)
{
	struct str *all;
	size_t count = trial_interfaces(scene->arena, &scene->trial->fleet, &scene->interfaces);

	all = ARENA_ARRAY(scene->arena, struct str, count + 1);
	memcpy(all, scene->interfaces, count * sizeof *all);
	scene->interface_count = count;
	scene->interfaces = all;
	for (size_t i = 0; i < count; i++)
		if (str_is(all[i], "eth0"))
			return;
	all[scene->interface_count++] = STR("eth0");
}

static const struct set_file *set_file(const struct output *output, struct str name)
{
	for (size_t i = 0; i < output->set_count; i++)
		if (str_eq(output->sets[i].name, name))
			return &output->sets[i];
	die("no set file %.*s", STR_ARG(name));
}

static void add_sets(struct subject *subject)
{
	struct str list = subject->ruleset->sets_list, name;

	subject->sets = ARENA_ARRAY(subject->arena, struct filter_text, list.n + 1);
	while (str_cut(&list, '\n', &name))
		if (name.n > 0)
			subject->sets[subject->set_count++] = (struct filter_text){
				name, set_file(&subject->scene->trial->output, name)->bytes};
}

/* --- the kernel --- */

static bool takes(struct arena *arena, const char *const *argv, struct str input)
{
	return run_status(arena, argv, input) == 0;
}

static bool same_texts(const struct subject *subject, const struct filter_text *a, const struct filter_text *b)
{
	for (size_t i = 0; a != NULL && i < subject->set_count; i++)
		if (!str_eq(a[i].text, b[i].text))
			return false;
	return a != NULL;
}

static bool load_set_files(struct subject *subject, const struct filter_text *sets)
{
	if (same_texts(subject, subject->loaded, sets))
		return true;
	subject->loaded = sets;
	load_nothing(subject->arena, &subject->scene->backend);
	run(subject->arena, (const char *const[]){"ipset", "destroy", NULL}, STR(""));
	for (size_t i = 0; i < subject->set_count; i++)
		if (!takes(subject->arena, (const char *const[]){"ipset", "-exist", "restore", NULL}, sets[i].text))
			return false;
	return true;
}

static bool load_rules(struct subject *subject, const struct backend *backend, const struct str rules[2])
{
	struct arena *arena = subject->arena;

	load_nothing(arena, backend);
	for (int i = 0; i < 2; i++) {
		const char *restore = backend->restore[i], *tables = backend->iptables[i];

		if (!takes(arena, (const char *const[]){restore, subject->beside ? "--noflush" : NULL, NULL}, rules[i]))
			return false;
		if (subject->beside &&
		    (!takes(arena, (const char *const[]){tables, "-I", "INPUT", "1", "-j", "fleetwall-input", NULL},
		            STR("")) ||
		     !takes(arena, (const char *const[]){tables, "-I", "OUTPUT", "1", "-j", "fleetwall-output", NULL},
		            STR(""))))
			return false;
	}
	return true;
}

/* What others would do with what our chains hand back. */
static void set_policies(struct subject *subject, const char *policy)
{
	for (int i = 0; i < 2; i++)
		for (int out = 0; out < 2; out++)
			run(subject->arena,
			    (const char *const[]){subject->scene->backend.iptables[i], "-P",
			                          out ? "OUTPUT" : "INPUT", policy, NULL},
			    STR(""));
}

static void send(struct subject *subject, struct probe *probes, struct fate *fates, size_t count)
{
	for (int way = 0; way < (subject->beside ? WAYS : 1); way++) {
		if (subject->beside)
			set_policies(subject, way == 0 ? "ACCEPT" : "DROP");
		for (size_t i = 0; i < count; i++)
			probes[i].seen = probes[i].passed = probes[i].refused = false;
		judge_probes(subject->scene->judge, probes, count);
		for (size_t i = 0; i < count; i++) {
			fates[i].carried = probes[i].seen;
			fates[i].passed[way] = probes[i].passed;
			fates[i].refused[way] = probes[i].refused;
		}
	}
}

static bool same_fate(const struct fate *a, const struct fate *b)
{
	for (int i = 0; i < WAYS; i++)
		if (a->passed[i] != b->passed[i] || a->refused[i] != b->refused[i])
			return false;
	return true;
}

/* --- a packet of verify's as one that can be sent --- */

static bool interface_number(const struct scene *scene, struct str name, unsigned *number)
{
	*number = 0;
	for (unsigned i = 0; i < scene->interface_count && name.n > 0; i++)
		if (str_eq(scene->interfaces[i], name)) {
			*number = i;
			return true;
		}
	return name.n == 0;
}

/* Whether conntrack takes it for the first of a flow, as the packet claims: of ICMP what asks, and no UDP-Lite. */
static bool begins_flow(const struct sample *packet)
{
	unsigned type = packet->port >> 8;

	if (packet->protocol == PROTOCOL_ICMP && packet->family == FAMILY_4)
		return type == 8 || type == 13 || type == 15 || type == 17;
	if (packet->protocol == PROTOCOL_ICMPV6 && packet->family == FAMILY_6)
		return type == 128 || type == 139;
	return packet->protocol != PROTOCOL_UDPLITE && (packet->protocol != PROTOCOL_TCP || packet->flags == 0x02);
}

/* Refusals differ from drops by an answer, which only TCP is sure to get, as our own closed egress may stop the others;
 * and which answer it is, is not seen. */
static bool is_visible(const struct verify_finding *finding)
{
	struct str reset = STR("rejected with tcp-reset"), rejected = STR("rejected");

	if (str_starts(finding->wanted, rejected) && str_starts(finding->got, rejected))
		return false;
	return str_eq(finding->wanted, reset) || str_eq(finding->got, reset) ||
	       !(str_eq(finding->wanted, rejected) || str_eq(finding->got, rejected));
}

/* Only what ends by itself, and has not yet, can hold of one packet. */
static bool conditions_hold(const struct verify_finding *finding)
{
	const struct sample *packet = &finding->packet;

	for (size_t i = 0; i < packet->condition_count; i++)
		if (!str_starts(packet->conditions[i], STR("time")))
			return false;
	return finding->untrue_count == 0;
}

static bool probe_of(struct subject *subject, const struct verify_finding *finding, struct probe *probe)
{
	const struct sample *packet = &finding->packet;
	const struct machine *machine = &subject->scene->trial->fleet.machines[subject->machine];
	struct addr own = own_address(machine, packet->family);
	bool icmp = packet->protocol == PROTOCOL_ICMP || packet->protocol == PROTOCOL_ICMPV6;

	*probe = (struct probe){
		.direction = finding->out ? DIRECTION_OUT : DIRECTION_IN,
		.source = packet->source,
		.destination = packet->destination,
		.protocol = (uint8_t)packet->protocol,
		.port = (uint16_t)packet->port,
		.source_port = (uint16_t)packet->source_port,
		.tcp_flags = (uint8_t)packet->flags,
		.icmp_type = icmp ? (uint8_t)(packet->port >> 8) : 0,
		.icmp_code = icmp ? (uint8_t)packet->port : 0,
	};
	if (!finding->out && !packet->needs[FIELD_DESTINATION])
		probe->destination = own;
	if (finding->out && !packet->needs[FIELD_SOURCE])
		probe->source = own;
	return !str_is(finding->chain, "FORWARD") && packet->state == STATE_NEW && conditions_hold(finding) &&
	       interface_number(subject->scene, finding->out ? packet->out : packet->in, &probe->interface) &&
	       address_excluded(probe->source) == NULL && address_excluded(probe->destination) == NULL;
}

/* --- a mutant --- */

static void ask_verify(struct subject *subject, struct mutant *mutant)
{
	static const struct filter_text none;
	struct verify_files files = mutant->files;
	struct verify_text *text;

	files.sets = subject->set_count > 0 ? mutant->sets : &none;
	files.set_count = subject->set_count;
	text = verify_read(subject->arena, subject->scene->verifier, &files);
	(void)verify_ruleset(subject->arena, subject->arena, subject->scene->verifier, subject->machine, 1, text,
	                     &mutant->findings);
	for (size_t i = 0; i < mutant->findings.count; i++) {
		const struct verify_finding *finding = &mutant->findings.items[i];

		mutant->unreadable = mutant->unreadable || finding->kind == VERIFY_UNREADABLE;
		if (finding->kind == VERIFY_PACKET && !mutant->sure &&
		    probe_of(subject, finding, &mutant->probe)) {
			mutant->has_probe = true;
			mutant->sure = begins_flow(&finding->packet) && is_visible(finding);
		}
	}
}

static size_t sets_of(struct subject *subject, unsigned family, struct str *names)
{
	size_t count = 0;

	for (size_t i = 0; i < subject->set_count; i++)
		if (str_ends(subject->sets[i].file, family == 0 ? STR(".v4") : STR(".v6")))
			names[count++] = str_format(subject->arena, "fw%c-%.*s", family == 0 ? '4' : '6',
			                            (int)subject->sets[i].file.n - 3, subject->sets[i].file.p);
	return count;
}

static struct mutant make_mutant(struct subject *subject)
{
	struct rng *rng = &subject->scene->rng;
	struct mutant mutant = {.sets = ARENA_ARRAY(subject->arena, struct filter_text, subject->set_count + 1)};
	struct str *names = ARENA_ARRAY(subject->arena, struct str, subject->set_count + 1);
	unsigned family = (unsigned)rng_below(rng, 2);

	memcpy(mutant.files.rules, subject->ruleset->rules, sizeof mutant.files.rules);
	memcpy(mutant.sets, subject->sets, subject->set_count * sizeof *mutant.sets);
	if (subject->set_count > 0 && rng_chance(rng, 25)) {
		struct filter_text *set = &mutant.sets[rng_below(rng, subject->set_count)];

		set->text = mutate_set(subject->arena, rng, set->text, &mutant.how);
	} else {
		mutant.files.rules[family] = mutate_rules(subject->arena, rng, mutant.files.rules[family], names,
		                                          sets_of(subject, family, names), &mutant.how);
	}
	ask_verify(subject, &mutant);
	return mutant;
}

static void wrong(struct subject *subject, const struct mutant *mutant, const char *what)
{
	struct scene *scene = subject->scene;
	struct buf buf = buf_new(subject->arena);

	if (scene->counts.wrong++ >= SHOWN)
		return;
	for (size_t i = 0; i < mutant->findings.count && i < 3; i++)
		verify_print(&buf, &mutant->findings.items[i]);
	fprintf(stderr, "WRONG: seed %" PRIu64 ", machine %.*s, %s: %s\n%.*s", scene->seed,
	        STR_ARG(scene->trial->fleet.machines[subject->machine].name), mutant->how, what, (int)buf.n, buf.p);
	for (unsigned i = 0; i < 2; i++)
		if (!str_eq(mutant->files.rules[i], subject->ruleset->rules[i]))
			fprintf(stderr, "--- original\n%.*s--- mutant\n%.*s---\n", STR_ARG(subject->ruleset->rules[i]),
			        STR_ARG(mutant->files.rules[i]));
	for (size_t i = 0; i < subject->set_count; i++)
		if (!str_eq(mutant->sets[i].text, subject->sets[i].text))
			fprintf(stderr, "--- mutant of %.*s\n%.*s---\n", STR_ARG(mutant->sets[i].file),
			        STR_ARG(mutant->sets[i].text));
}

static void say_fate(const char *of, const struct fate *fate)
{
	fprintf(stderr, "%s: passed %d %d, refused %d %d\n", of, fate->passed[0], fate->passed[1], fate->refused[0],
	        fate->refused[1]);
}

static void judge_different(struct subject *subject, struct mutant *mutant)
{
	struct fate fate = {.carried = false};

	subject->scene->counts.different++;
	if (!mutant->has_probe) {
		subject->scene->counts.not_carried++;
		return;
	}
	send(subject, &mutant->probe, &fate, 1);
	if (!fate.carried || !mutant->original.carried ||
	    (!mutant->sure && same_fate(&fate, &mutant->original))) {
		subject->scene->counts.not_carried++;
	} else if (same_fate(&fate, &mutant->original)) {
		wrong(subject, mutant, "the packet fares as it did");
		say_fate("original", &mutant->original);
		say_fate("mutant", &fate);
	} else {
		subject->scene->counts.shown++;
	}
}

static void judge_equal(struct subject *subject, struct mutant *mutant)
{
	struct fate *fates = ARENA_ARRAY(subject->arena, struct fate, subject->edge_count);

	subject->scene->counts.equal++;
	send(subject, subject->edges, fates, subject->edge_count);
	for (size_t i = 0; i < subject->edge_count; i++)
		if (!same_fate(&fates[i], &subject->edge_fates[i])) {
			wrong(subject, mutant, "verify sees no difference, and there is one");
			return;
		}
}

/* One of the backends may take what the other refuses. */
static bool other_backend_takes(struct subject *subject, const struct mutant *mutant)
{
	struct backend legacy = backend_of(subject->arena, "-legacy");
	bool takes_it = load_rules(subject, &legacy, mutant->files.rules);

	load_nothing(subject->arena, &legacy);
	return takes_it;
}

static void judge_mutant(struct subject *subject, struct mutant *mutant)
{
	const struct backend *backend = &subject->scene->backend;
	bool loads = load_set_files(subject, mutant->sets) && load_rules(subject, backend, mutant->files.rules);

	subject->scene->counts.mutants++;
	if (!loads) {
		subject->scene->counts.refused++;
		if (!mutant->unreadable)
			wrong(subject, mutant, "the kernel refuses it, and verify reads it");
	} else if (mutant->unreadable) {
		subject->scene->counts.refused++;
		if (other_backend_takes(subject, mutant))
			wrong(subject, mutant, "the kernel takes it, and verify can't read it");
	} else if (mutant->findings.count > 0) {
		judge_different(subject, mutant);
	} else {
		judge_equal(subject, mutant);
	}
}

/* --- a machine --- */

/* The same packets under the original, once for all mutants. */
static void judge_original(struct subject *subject, struct mutant *mutants, size_t count)
{
	if (!load_set_files(subject, subject->sets) ||
	    !load_rules(subject, &subject->scene->backend, subject->ruleset->rules))
		die("the original does not load");
	for (size_t i = 0; i < count; i++)
		if (mutants[i].has_probe)
			send(subject, &mutants[i].probe, &mutants[i].original, 1);
	send(subject, subject->edges, subject->edge_fates, subject->edge_count);
}

static void add_edges(struct subject *subject)
{
	struct probe_list list = {0};

	probes_at_edges(subject->arena, subject->scene->trial, subject->machine, subject->scene->interface_count,
	                EDGES / 8, &list);
	subject->edges = list.items;
	subject->edge_count = probes_thin(list.items, list.count, EDGES);
	subject->edge_fates = ARENA_ARRAY(subject->arena, struct fate, subject->edge_count);
}

static void try_machine(struct scene *scene, uint32_t machine, size_t count)
{
	struct arena *arena = arena_new();
	const struct machine *about = &scene->trial->fleet.machines[machine];
	struct subject subject = {.scene = scene,
	                          .arena = arena,
	                          .machine = machine,
	                          .ruleset = trial_ruleset(scene->trial, about),
	                          .beside = about->mode == MODE_COEXIST};
	struct mutant *mutants = ARENA_ARRAY(arena, struct mutant, count);
	struct addr own = own_address(about, FAMILY_4);

	add_sets(&subject);
	add_edges(&subject);
	judge_own(arena, &own, 1);
	for (size_t i = 0; i < count; i++)
		mutants[i] = make_mutant(&subject);
	judge_original(&subject, mutants, count);
	for (size_t i = 0; i < count; i++)
		judge_mutant(&subject, &mutants[i]);
	arena_free(arena);
}

/* What monitors log can't be seen in what becomes of packets. */
static bool can_judge(const struct scene *scene, uint32_t machine)
{
	const struct machine *about = &scene->trial->fleet.machines[machine];

	return about->enforcement == ENFORCEMENT_ENFORCE && trial_ruleset(scene->trial, about) != NULL;
}

static void try_machines(struct scene *scene, size_t mutants)
{
	uint32_t machines[MACHINES * 2];
	size_t count = 0;

	for (uint32_t i = 0; i < scene->trial->fleet.machine_count && count < MACHINES * 2; i++)
		if (can_judge(scene, i))
			machines[count++] = i;
	for (size_t i = 0; i < count; i++)
		try_machine(scene, machines[i], mutants / count + (i < mutants % count));
	if (count == 0)
		die("seed %" PRIu64 " has no machine to try", scene->seed);
}

static int try_seed(const void *context)
{
	const struct slice *slice = context;
	struct arena *arena = arena_new();
	struct scene scene = {
		.arena = arena, .rng = {slice->seed}, .backend = backend_of(arena, ""), .seed = slice->seed};
	struct fleet fleet = random_fleet(arena, &scene.rng, MACHINES);
	struct counts *counts = &scene.counts;

	if (!backend_enter(&scene.backend))
		return SKIPPED;
	without_limits(&fleet);
	scene.trial = trial_of_fleet(arena, &fleet, trial_settings(arena));
	add_interfaces(&scene);
	scene.judge = judge_new(arena, scene.interfaces, scene.interface_count);
	packets_begin();
	scene.verifier = verifier_new(arena, &scene.trial->fleet, &scene.trial->settings, STR("test"));
	try_machines(&scene, slice->mutants);
	printf("seed %" PRIu64 ": %zu mutants: %zu different (%zu shown by their packet, %zu whose packet can't be "
	       "sent), %zu equal, %zu refused by the kernel; %zu judged wrongly\n",
	       slice->seed, counts->mutants, counts->different, counts->shown, counts->not_carried, counts->equal,
	       counts->refused, counts->wrong);
	verifier_free(scene.verifier);
	packets_end();
	judge_free(scene.judge);
	arena_free(arena);
	return counts->wrong == 0 && counts->shown > 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	const char *wanted = getenv("VERIFY_MUTANTS"), *missing = netns_missing_program();
	size_t mutants = wanted != NULL ? strtoul(wanted, NULL, 10) : MUTANTS;
	size_t count = argc > 1 ? (size_t)argc - 1 : mutants > 400 ? mutants / 50 : SEEDS;
	struct arena *arena = arena_new();
	struct slice *slices = ARENA_ARRAY(arena, struct slice, count);
	const void **contexts = ARENA_ARRAY(arena, const void *, count);
	int code;

	if (missing != NULL) {
		printf("%s is not installed\n", missing);
		return SKIPPED;
	}
	for (size_t i = 0; i < count; i++) {
		slices[i] = (struct slice){argc > 1 ? strtoull(argv[i + 1], NULL, 10) : i + 1, mutants / count};
		contexts[i] = &slices[i];
	}
	code = in_children(try_seed, contexts, count);
	arena_free(arena);
	return code;
}
