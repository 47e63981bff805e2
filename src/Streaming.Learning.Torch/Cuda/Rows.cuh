// Rows of D columns, a warp each, in groups of 4 columns that lie in one increment each: where they come from, dropout, norms.
constexpr int GROUPS = D / 4, PER_LANE = (GROUPS + 31) / 32, WARPS = 8;

struct Draw
{
    u32 at[4];
};

// Philox 4x32 with 7 rounds (Salmon et al. 2011): the backward pass draws the masks of the forward pass again.
__device__ __forceinline__ Draw philox(u32 c0, u32 c1, u32 c2, u64 key)
{
    u32 c3 = 0, k0 = (u32)key, k1 = (u32)(key >> 32);
#pragma unroll
    for (int round = 0; round < 7; round++)
    {
        u32 high0 = __umulhi(0xD2511F53u, c0), low0 = 0xD2511F53u * c0;
        u32 high1 = __umulhi(0xCD9E8D57u, c2), low1 = 0xCD9E8D57u * c2;
        c0 = high1 ^ c1 ^ k0;
        c1 = low1;
        c2 = high0 ^ c3 ^ k1;
        c3 = low0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return { c0, c1, c2, c3 };
}

// Which elements a step drops: column c where a draw is below thresholds[c]; the others are scaled.
struct Dropout
{
    const u32* thresholds; // [D]; null: nothing is dropped
    const float* scales;   // [D]
    u64 key;
    u32 site; // a number for each place in the tower

    // The factors of a group of columns of a row.
    __device__ __forceinline__ float4 factors(int row, int group) const
    {
        if (!thresholds)
        {
            return make_float4(1, 1, 1, 1);
        }

        Draw draw = philox((u32)row, (u32)group, site, key);
        float4 scale = ((const float4*)scales)[group];
        const u32* t = thresholds + 4 * group;
        return make_float4(draw.at[0] >= t[0] ? scale.x : 0.f, draw.at[1] >= t[1] ? scale.y : 0.f, draw.at[2] >= t[2] ? scale.z : 0.f,
                           draw.at[3] >= t[3] ? scale.w : 0.f);
    }
};

__device__ __forceinline__ float4 operator+(float4 a, float4 b) { return make_float4(a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w); }
__device__ __forceinline__ float4 operator*(float4 a, float4 b) { return make_float4(a.x * b.x, a.y * b.y, a.z * b.z, a.w * b.w); }
__device__ __forceinline__ float4 operator*(float4 a, float b) { return make_float4(a.x * b, a.y * b, a.z * b, a.w * b); }
__device__ __forceinline__ float4 operator-(float4 a, float b) { return make_float4(a.x - b, a.y - b, a.z - b, a.w - b); }
__device__ __forceinline__ float sum(float4 a) { return (a.x + a.y) + (a.z + a.w); }
__device__ __forceinline__ float4 zero() { return make_float4(0, 0, 0, 0); }

__device__ __forceinline__ bool within(int group, int k) { return 4 * group >= padding.begin[k] && 4 * group < padding.begin[k + 1]; }
__device__ __forceinline__ float4 load(const float* values, int group) { return values ? ((const float4*)values)[group] : zero(); }
__device__ __forceinline__ void store(float* values, int group, float4 x) { ((float4*)values)[group] = x; }

// What a tower keeps of its rows: float32, or bfloat16 (-DBF16=1). All is computed in float32.
#if BF16
typedef unsigned short Kept;

struct alignas(8) KeptGroup
{
    u32 low, high;
};

__device__ __forceinline__ float value(Kept x) { return floatOf((u32)x << 16); }
__device__ __forceinline__ Kept kept(float x) { return (Kept)bfloats(x, x); }

__device__ __forceinline__ float4 load(const Kept* values, int group)
{
    KeptGroup x = values ? ((const KeptGroup*)values)[group] : KeptGroup{ 0, 0 };
    return make_float4(floatOf(x.low << 16), floatOf(x.low & 0xffff0000u), floatOf(x.high << 16), floatOf(x.high & 0xffff0000u));
}

__device__ __forceinline__ void store(Kept* values, int group, float4 x)
{
    ((KeptGroup*)values)[group] = { bfloats(x.x, x.y), bfloats(x.z, x.w) };
}

__device__ __forceinline__ float4 asKept(float4 x) { return make_float4(value(kept(x.x)), value(kept(x.y)), value(kept(x.z)), value(kept(x.w))); }
#else
typedef float Kept;

__device__ __forceinline__ float value(Kept x) { return x; }
__device__ __forceinline__ Kept kept(float x) { return x; }
__device__ __forceinline__ float4 asKept(float4 x) { return x; }
#endif

// Sums of a row's increments, the same in all lanes.
__device__ __forceinline__ void incrementSums(const float (&parts)[PER_LANE], int lane, float (&sums)[K])
{
#pragma unroll
    for (int k = 0; k < K; k++)
    {
        float part = 0;
#pragma unroll
        for (int j = 0; j < PER_LANE; j++)
        {
            part += within(lane + 32 * j, k) ? parts[j] : 0.f;
        }
        sums[k] = warpSum(part);
    }
}

__device__ __forceinline__ float of(const float (&values)[K], int group)
{
    float value = values[0];
#pragma unroll
    for (int k = 1; k < K; k++)
    {
        value = 4 * group >= padding.begin[k] ? values[k] : value;
    }
    return value;
}

// Means and inverse deviations of a row's increments.
__device__ __forceinline__ void moments(const float4 (&row)[PER_LANE], int lane, float (&mean)[K], float (&inverse)[K])
{
    float parts[PER_LANE];
#pragma unroll
    for (int j = 0; j < PER_LANE; j++)
    {
        parts[j] = sum(row[j]);
    }
    incrementSums(parts, lane, mean);
#pragma unroll
    for (int k = 0; k < K; k++)
    {
        mean[k] /= padding.begin[k + 1] - padding.begin[k];
    }
#pragma unroll
    for (int j = 0; j < PER_LANE; j++)
    {
        float4 centred = row[j] - of(mean, lane + 32 * j);
        parts[j] = sum(centred * centred);
    }
    incrementSums(parts, lane, inverse);
#pragma unroll
    for (int k = 0; k < K; k++)
    {
        inverse[k] = 1 / sqrtf(inverse[k] / (padding.begin[k + 1] - padding.begin[k]) + 1e-5f);
    }
}

// Stands for no item: sorts behind all.
constexpr int ABSENT = 0x7fffffff;

// Vectors of items: rows of a table, with the weight decay that they missed while idle. With a start vector each sequence of steps
// begins with it, and the items follow.
struct Source
{
    const float* table;
    const int* rows;       // by entry, ABSENT: zeros; null: entry e is row e
    const double* decayed; // by row; null: nothing was missed
    const double* decay;
    const float* start; // null: every step is an entry
    int steps;

    __device__ __forceinline__ void read(int step, int lane, float4 (&row)[PER_LANE]) const
    {
        int sequence = start ? step / steps : 0, entry = start ? step - sequence - 1 : step;
        bool isStart = start && step == sequence * steps;
        int at = isStart ? 0 : rows ? rows[entry] : entry;
        const float* from = isStart ? start : table + (u64)at * D;
        float keep = !isStart && at != ABSENT && decayed ? (float)exp(decay[0] - decayed[at]) : 1.f;
#pragma unroll
        for (int j = 0; j < PER_LANE; j++)
        {
            int g = lane + 32 * j;
            row[j] = g < GROUPS && at != ABSENT ? load(from, g) * keep : zero();
        }
    }
};

// out = norm(row) * gain + bias
__device__ __forceinline__ void writeNorm(const float4 (&row)[PER_LANE], int lane, const float* gain, const float* bias, Kept* out)
{
    float mean[K], inverse[K];
    moments(row, lane, mean, inverse);
#pragma unroll
    for (int j = 0; j < PER_LANE; j++)
    {
        int g = lane + 32 * j;
        if (g < GROUPS)
        {
            store(out, g, (row[j] - of(mean, g)) * of(inverse, g) * load(gain, g) + load(bias, g));
        }
    }
}
