// The item rows of a step: which are the same, their vectors, and the sum of each row's gradients. Entries are the items of the
// histories, then the candidates. Entries of one row are added in their order, in chunks of the sorted entries, so that no warp has
// all entries of a popular item; nothing is added atomically, so a run repeats to the bit.
constexpr int CHUNK = 32;

// keys [count]: the row of an entry, then its number, so that no two are equal.
extern "C" __global__ void __launch_bounds__(256) key_entries(const int* entries, int count, long long* keys)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < count)
    {
        keys[i] = ((long long)entries[i] << 32) + i;
    }
}

__device__ __forceinline__ int rowOf(long long key) { return (int)(key >> 32); }
__device__ __forceinline__ int entryOf(long long key) { return (int)key; }

// keys: sorted. marks [count]: 1 where a row begins.
extern "C" __global__ void __launch_bounds__(256) mark_rows(const long long* keys, int count, int* marks)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < count)
    {
        marks[i] = rowOf(keys[i]) != ABSENT && (i == 0 || rowOf(keys[i - 1]) != rowOf(keys[i]));
    }
}

// numbers: running sums of the marks. slots [count]: by entry, the number of its row, or ABSENT; distinct [bound]: the rows by number,
// then zeros; begins [bound + 1]: the place among the sorted entries where each begins, and the end; total: their number.
extern "C" __global__ void __launch_bounds__(256)
number_rows(const long long* keys, const int* numbers, int count, int bound, int* slots, long long* distinct, int* begins, int* total)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count)
    {
        return;
    }

    int rows = numbers[count - 1], number = numbers[i] - 1, row = rowOf(keys[i]);
    bool isItem = row != ABSENT;
    slots[entryOf(keys[i])] = isItem ? number : ABSENT;
    if (isItem && (i == 0 || rowOf(keys[i - 1]) != row))
    {
        distinct[number] = row;
        begins[number] = i;
    }
    if (isItem && (i + 1 == count || rowOf(keys[i + 1]) == ABSENT))
    {
        begins[rows] = i + 1;
    }
    if (i >= rows && i < bound)
    {
        distinct[i] = 0;
    }
    if (i == 0)
    {
        total[0] = rows;
        if (!isItem)
        {
            begins[0] = 0;
        }
    }
}

// out [count x D]
extern "C" __global__ void __launch_bounds__(256) gather_rows(Source source, int count, float* out)
{
    int lane = threadIdx.x & 31, r = blockIdx.x * WARPS + (threadIdx.x >> 5);
    if (r >= count)
    {
        return;
    }

    float4 row[PER_LANE];
    source.read(r, lane, row);
#pragma unroll
    for (int j = 0; j < PER_LANE; j++)
    {
        if (lane + 32 * j < GROUPS)
        {
            store(out + (u64)r * D, lane + 32 * j, row[j]);
        }
    }
}

// The gradients of entries: those of the histories' items follow that of a start vector in each sequence.
struct Gradients
{
    const float* steps;
    const float* candidates;
    int histories;   // entries that are items of histories
    int perSequence; // of each sequence

    __device__ __forceinline__ const float* of(int entry) const
    {
        return entry < histories ? steps + (u64)(entry + entry / perSequence + 1) * D : candidates + (u64)(entry - histories) * D;
    }
};

// A warp adds a chunk of the sorted entries. sums [bound x D] gets the rows that lie in one chunk; partial [chunks x 2 x D] the others:
// a chunk's first sum, of a row that began before it, and its last, of one that began in it.
extern "C" __global__ void __launch_bounds__(256)
sum_chunks(Gradients gradients, const long long* keys, const int* numbers, const int* begins, const int* total, float* sums,
           float* partial)
{
    int lane = threadIdx.x & 31, chunk = blockIdx.x * WARPS + (threadIdx.x >> 5), first = chunk * CHUNK, end = begins[total[0]];
    if (first >= end)
    {
        return;
    }

    int count = end - first < CHUNK ? end - first : CHUNK, mine = first + (lane < count ? lane : count - 1);
    int entry = entryOf(keys[mine]), number = numbers[mine] - 1;
    float4 sum[PER_LANE];
#pragma unroll
    for (int j = 0; j < PER_LANE; j++)
    {
        sum[j] = zero();
    }

#pragma unroll 4
    for (int i = 0; i < count; i++)
    {
        const float* from = gradients.of(__shfl_sync(0xffffffffu, entry, i));
        int row = __shfl_sync(0xffffffffu, number, i), next = __shfl_sync(0xffffffffu, number, i + 1 < count ? i + 1 : i);
        bool isLast = i + 1 == count || next != row;
        bool begun = isLast && begins[row] >= first, whole = begun && begins[row + 1] <= first + count;
        float* to = whole ? sums + (u64)row * D : partial + ((u64)2 * chunk + (begun ? 1 : 0)) * D;
#pragma unroll
        for (int j = 0; j < PER_LANE; j++)
        {
            int g = lane + 32 * j;
            if (g < GROUPS)
            {
                sum[j] = sum[j] + load(from, g);
                if (isLast)
                {
                    store(to, g, sum[j]);
                    sum[j] = zero();
                }
            }
        }
    }
}

// The rows of several chunks, from their parts, and zeros for numbers without a row. A warp a row.
extern "C" __global__ void __launch_bounds__(256)
sum_parts(const int* begins, const int* total, int bound, const float* partial, float* sums)
{
    int lane = threadIdx.x & 31, row = blockIdx.x * WARPS + (threadIdx.x >> 5);
    if (row >= bound)
    {
        return;
    }

    bool exists = row < total[0];
    int first = exists ? begins[row] / CHUNK : 0, last = exists ? (begins[row + 1] - 1) / CHUNK : 0;
    if (exists && first == last)
    {
        return;
    }

    for (int g = lane; g < GROUPS; g += 32)
    {
        float4 sum = exists ? load(partial + ((u64)2 * first + 1) * D, g) : zero();
#pragma unroll 4
        for (int chunk = first + 1; chunk <= last; chunk++)
        {
            sum = sum + load(partial + (u64)2 * chunk * D, g);
        }
        store(sums + (u64)row * D, g, sum);
    }
}
