// The nested widths, from -DWIDTHS=8,16,… (multiples of 4) and -DK=count.
constexpr int width[K] = { WIDTHS };
constexpr int D = width[K - 1];

// Tensor cores take columns in eights: in shared memory every increment starts at a multiple of 8, and zeros fill the gaps.
struct Padding
{
    int first[K + 1]; // first padded column of each increment
    int begin[K + 1]; // first column of each increment
};

constexpr Padding pad()
{
    Padding p = {};
    for (int k = 0; k < K; k++)
    {
        p.begin[k + 1] = width[k];
        p.first[k + 1] = p.first[k] + (width[k] - p.begin[k] + 7) / 8 * 8;
    }
    return p;
}

constexpr Padding padding = pad();
constexpr int PADDED = padding.first[K];
constexpr bool IS_DENSE = PADDED == D;

template <int I> struct Constant
{
    static constexpr int value = I;
};

// Calls f for FROM … TO - 1 as constants. Arrays that are indexed by them stay in registers, where a loop that depends on an outer
// one may not be unrolled in time.
template <int FROM, int TO, class F> __device__ __forceinline__ void each(F&& f)
{
    if constexpr (FROM < TO)
    {
        f(Constant<FROM>());
        each<FROM + 1, TO>(f);
    }
}

// Calls f for the groups of 8 padded columns of increment k, as constants.
template <int k, class F> __device__ __forceinline__ void eachGroup(F&& f)
{
    each<padding.first[k] / 8, padding.first[k + 1] / 8>(f);
}

// Where column c lies in shared memory.
__device__ __forceinline__ int place(int c)
{
    int at = c;
#pragma unroll
    for (int k = 1; k < K; k++)
    {
        at = c >= padding.begin[k] ? c - padding.begin[k] + padding.first[k] : at;
    }
    return at;
}

__device__ __forceinline__ float warpSum(float x)
{
#pragma unroll
    for (int o = 16; o; o >>= 1)
    {
        x += __shfl_xor_sync(0xffffffffu, x, o);
    }
    return x;
}
