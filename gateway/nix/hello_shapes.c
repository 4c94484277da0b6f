#include "gateway/nix/hello_shapes.h"

#include "gateway/nix/hello.h"

SHAPE(shape_magic, "magic", FIELDS_NUMBER("magic"));

SHAPE(shape_version, "version", FIELDS_NUMBER("version"));

LOCAL_SHAPE(shape_word, "feature", FIELDS_STRING("word", 128));
SHAPE(shape_features, "features", FIELDS_ITEMS("words", 64, shape_word));

/* The affinity is read as generously as daemons read it: the clients of Nix 2.23 say their version a second time, and
 * that they are in step again afterwards rests on it being taken for "a processor follows". */
LOCAL_SHAPE(shape_processor, "processor", FIELDS_NUMBER("processor"));
SHAPE(shape_rest, "rest",
	{ .name = "affinity", .kind = KIND_OPTIONAL, .max = UINT64_MAX, .item = &shape_processor,
	  .since = WORKER_MINOR_AFFINITY },
	{ .name = "reserve", .kind = KIND_NUMBER, .max = UINT64_MAX, .since = WORKER_MINOR_RESERVE });

SHAPE(shape_greeting, "greeting",
	{ .name = "version", .kind = KIND_STRING, .max = DAEMON_VERSION_MAX, .since = WORKER_MINOR_DAEMON_VERSION },
	{ .name = "trust", .kind = KIND_NUMBER, .max = HELLO_TRUST_NOT_TRUSTED, .since = WORKER_MINOR_TRUST });

uint64_t version_of(unsigned major, unsigned minor)
{
	return (uint64_t)major << 8 | minor;
}

bool version_minor(uint64_t version, unsigned major, unsigned *minor)
{
	*minor = (unsigned)(version & 0xff);
	return version >> 8 == major;
}
