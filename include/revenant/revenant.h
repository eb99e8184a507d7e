// All of the public surface.
#pragma once

#include "revenant/durability.h"
#include "revenant/error.h"
#include "revenant/memory.h"
#include "revenant/run.h"
#include "revenant/statistics.h"
#include "revenant/sync.h"
#include "revenant/thread.h"
