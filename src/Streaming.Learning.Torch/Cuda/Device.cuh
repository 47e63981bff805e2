// What the kernels use of the device beyond CUDA C: asynchronous copies and tensor cores, both of sm_80 and later. The tests replace
// this file by an emulation.
typedef unsigned int u32;
typedef unsigned long long u64;

extern __shared__ float dynamicShared[];
#define SHARED_MEMORY float* shared = dynamicShared;

__device__ __forceinline__ u32 bitsOf(float x) { return __float_as_uint(x); }
__device__ __forceinline__ float floatOf(u32 x) { return __uint_as_float(x); }

// Rounded to TF32: 10 bits of mantissa.
__device__ __forceinline__ u32 tf32(float x)
{
    u32 rounded;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(rounded) : "f"(x));
    return rounded;
}

// The tensor core ignores the low 13 bits of a float32.
__device__ __forceinline__ u32 truncated(float x) { return __float_as_uint(x); }

// Two values rounded to bfloat16, to the nearest, the first in the low half.
__device__ __forceinline__ u32 bfloats(float low, float high)
{
    u32 pair;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
    return pair;
}

__device__ __forceinline__ float exp2Fast(float x)
{
    float result;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(x));
    return result;
}

// d (16 x 8) += a (16 x 8, rows) . b (8 x 8, columns), spread over the lanes of a warp as PTX defines for m16n8k8.
__device__ __forceinline__ void multiply(float (&d)[4], const u32 (&a)[4], u32 b0, u32 b1)
{
    asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3},{%4,%5,%6,%7},{%8,%9},{%0,%1,%2,%3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

// Queues a copy of 16 bytes from global to shared memory; writes zeros instead unless present.
__device__ __forceinline__ void copyAsync(float* to, const float* from, bool present)
{
    u32 address = (u32)__cvta_generic_to_shared(to);
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(address), "l"(from), "r"(present ? 16 : 0));
}

// Ends a group of copies.
__device__ __forceinline__ void commitCopies() { asm volatile("cp.async.commit_group;"); }

// Waits until at most PENDING groups are under way.
template <int PENDING> __device__ __forceinline__ void awaitCopies() { asm volatile("cp.async.wait_group %0;" ::"n"(PENDING)); }
