// Takes the place of the project's Device.cuh, so that a C++ compiler for x86-64 builds the kernels: every thread of a block is a
// fiber of one thread of the process. Barriers, shuffles and tensor cores hand over to the other fibers; asynchronous copies happen
// at the latest moment allowed, and shared memory starts as NaN, so that a missing wait or barrier shows. For results, not for speed.
#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>
#include <sys/mman.h>

#define __device__
#define __global__
#define __forceinline__ inline
#define __launch_bounds__(...)
typedef unsigned int u32;
typedef unsigned long long u64;

struct Index
{
    unsigned x, y;
};

struct float2
{
    float x, y;
};

struct float4
{
    float x, y, z, w;
};

inline float2 make_float2(float x, float y) { return { x, y }; }
inline float4 make_float4(float x, float y, float z, float w) { return { x, y, z, w }; }

namespace emulation
{
struct Copy
{
    float* to;
    const float* from;
    bool present;
    long group;
};

// Two slots, used in turn: a lane may write its next value before all have read the last.
struct Warp
{
    float slots[2][32][8];
    int arrived;
    long turn;
};

struct Fiber
{
    void* stack;
    Index thread;
    Warp* warp;
    int lane;
    bool isDone;
    long group;
    std::vector<Copy> copies;
};

// Not a power of two: the fibers' stacks would share a few lines of the caches.
constexpr size_t STACK = (128 << 10) + 17 * 64;
constexpr int MOST_THREADS = 1024;
static Fiber fibers[MOST_THREADS];
static Warp warps[MOST_THREADS / 32];
static Fiber* self;
static Index block, blocks, size;
static std::vector<float> memory;
static int arrived, threads;
static long turn;
static void* scheduler;
static void (*body)(void*);
static void* bodyArgument;

// Saves the registers that a call preserves, and continues where the other stack was left.
asm(".text\n.local emulated_switch\nemulated_switch:\n"
    "pushq %rbp\npushq %rbx\npushq %r12\npushq %r13\npushq %r14\npushq %r15\n"
    "movq %rsp,(%rdi)\nmovq %rsi,%rsp\n"
    "popq %r15\npopq %r14\npopq %r13\npopq %r12\npopq %rbx\npopq %rbp\nret\n");
extern "C" __attribute__((visibility("hidden"))) void emulated_switch(void** from, void* to);

static void yield() { emulated_switch(&self->stack, scheduler); }

static void barrier()
{
    long now = turn;
    if (++arrived == threads)
    {
        arrived = 0;
        turn++;
    }
    while (turn == now)
    {
        yield();
    }
}

static void warpBarrier()
{
    Warp* warp = self->warp;
    long now = warp->turn;
    if (++warp->arrived == 32)
    {
        warp->arrived = 0;
        warp->turn++;
    }
    while (warp->turn == now)
    {
        yield();
    }
}

static void enter()
{
    body(bodyArgument);
    self->isDone = true;
    yield();
}

static void start(Fiber& fiber, char* stack)
{
    // As emulated_switch leaves a stack: six registers and a return address; the stack pointer at entry is 8 off a multiple of 16.
    void** top = (void**)(stack + STACK - 16);
    *--top = nullptr;
    *--top = (void*)enter;
    for (int i = 0; i < 6; i++)
    {
        *--top = nullptr;
    }
    fiber.stack = top;
    fiber.isDone = false;
    fiber.group = 0;
    fiber.copies.clear();
}

static void launch(Index grid, int count, size_t sharedBytes, void (*function)(void*), void* argument)
{
    static char* stacks = (char*)mmap(nullptr, STACK * MOST_THREADS, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    body = function;
    bodyArgument = argument;
    blocks = grid;
    size = { (unsigned)count, 1 };
    threads = count;
    for (block.y = 0; block.y < grid.y; block.y++)
    {
        for (block.x = 0; block.x < grid.x; block.x++)
        {
            memory.assign(sharedBytes / 4 + 4, NAN);
            arrived = 0;
            for (int i = 0; i < count; i++)
            {
                Fiber& fiber = fibers[i];
                fiber.thread = { (unsigned)i, 0 };
                fiber.lane = i & 31;
                fiber.warp = &warps[i / 32];
                fiber.warp->arrived = 0;
                start(fiber, stacks + STACK * i);
            }
            for (int left = count; left;)
            {
                left = 0;
                for (int i = 0; i < count; i++)
                {
                    if (!fibers[i].isDone)
                    {
                        self = &fibers[i];
                        emulated_switch(&scheduler, self->stack);
                        left += !self->isDone;
                    }
                }
            }
        }
    }
}

template <class T> inline T exchange(T value, int from)
{
    Warp* warp = self->warp;
    int slot = warp->turn & 1;
    memcpy(warp->slots[slot][self->lane], &value, sizeof value);
    warpBarrier();
    T result;
    memcpy(&result, warp->slots[slot][from & 31], sizeof result);
    return result;
}

template <class... T, size_t... I> inline void call(void (*kernel)(T...), void** arguments, std::index_sequence<I...>)
{
    kernel(*(T*)arguments[I]...);
}

template <class... T> inline void run(void (*kernel)(T...), int x, int y, int count, int sharedBytes, void** arguments)
{
    struct Call
    {
        void (*kernel)(T...);
        void** arguments;
    } it = { kernel, arguments };
    launch({ (unsigned)x, (unsigned)y }, count, sharedBytes,
           [](void* that) { call(((Call*)that)->kernel, ((Call*)that)->arguments, std::index_sequence_for<T...>()); }, &it);
}
}

#define threadIdx (emulation::self->thread)
#define blockIdx (emulation::block)
#define blockDim (emulation::size)
#define gridDim (emulation::blocks)
#define SHARED_MEMORY float* shared = (float*)(((uintptr_t)emulation::memory.data() + 15) & ~(uintptr_t)15);
#define EMULATED(NAME) \
    extern "C" void emulated_##NAME(int x, int y, int count, int sharedBytes, void** arguments) \
    { \
        emulation::run(NAME, x, y, count, sharedBytes, arguments); \
    }

inline void __syncthreads() { emulation::barrier(); }
inline void __syncwarp(unsigned = ~0u) { emulation::warpBarrier(); }
template <class T> inline T __shfl_xor_sync(unsigned, T value, int mask) { return emulation::exchange(value, emulation::self->lane ^ mask); }
inline u32 __umulhi(u32 a, u32 b) { return (u32)((u64)a * b >> 32); }
template <class T> inline T __shfl_sync(unsigned, T value, int lane) { return emulation::exchange(value, lane); }
inline float rsqrtf(float x) { return 1 / sqrtf(x); }

inline u32 bitsOf(float x)
{
    u32 bits;
    memcpy(&bits, &x, 4);
    return bits;
}

inline float floatOf(u32 bits)
{
    float x;
    memcpy(&x, &bits, 4);
    return x;
}

inline u32 tf32(float x)
{
    u32 bits = bitsOf(x);
    return (bits & 0x7f800000) == 0x7f800000 ? bits : (bits + 0x1000) & 0xffffe000;
}

inline u32 truncated(float x) { return bitsOf(x) & 0xffffe000; }

inline u32 bfloat(float x)
{
    u32 bits = bitsOf(x);
    return x != x ? 0x7fff : (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

inline u32 bfloats(float low, float high) { return bfloat(low) | bfloat(high) << 16; }
inline float exp2Fast(float x) { return exp2f(x); }

inline void multiply(float (&d)[4], const u32 (&a)[4], u32 b0, u32 b1)
{
    emulation::Warp* warp = emulation::self->warp;
    int slot = warp->turn & 1, lane = emulation::self->lane, g = lane >> 2, t = lane & 3;
    float own[8] = { floatOf(a[0]), floatOf(a[1]), floatOf(a[2]), floatOf(a[3]), floatOf(b0), floatOf(b1) };
    memcpy(warp->slots[slot][lane], own, sizeof own);
    emulation::warpBarrier();
    for (int i = 0; i < 4; i++)
    {
        int half = i >> 1, column = 2 * t + (i & 1);
        for (int k = 0; k < 8; k++)
        {
            d[i] += warp->slots[slot][g * 4 + (k & 3)][half + 2 * (k >> 2)] * warp->slots[slot][column * 4 + (k & 3)][4 + (k >> 2)];
        }
    }
}

inline void copyAsync(float* to, const float* from, bool present)
{
    emulation::self->copies.push_back({ to, from, present, emulation::self->group });
}

inline void commitCopies() { emulation::self->group++; }

template <int PENDING> inline void awaitCopies()
{
    emulation::Fiber* self = emulation::self;
    size_t left = 0;
    for (const emulation::Copy& copy : self->copies)
    {
        if (copy.group >= self->group - PENDING)
        {
            self->copies[left++] = copy;
            continue;
        }
        for (int i = 0; i < 4; i++)
        {
            copy.to[i] = copy.present ? copy.from[i] : 0;
        }
    }
    self->copies.resize(left);
}
