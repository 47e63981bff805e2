// The update at the end of a step: norm, clip and finiteness on the device, then AdamW over the dense parameters and the item rows
// that the step touched. The host waits for nothing: kernels read from the gate whether the step applies.
constexpr int THREADS = 256, WARPS = THREADS / 32;

// What all updates of a step share.
struct Gate
{
    double scale;      // of gradients, by the clip; 0 if the step does not apply
    double update;     // number of this update, from 1
    double first;      // Adam's 1 - beta^update, of the first moment
    double second;     // and of the second
    double decayed;    // sum of the logarithms of the row decays before this update
    double decayedNow; // and after it
};

__device__ __forceinline__ double blockSum(double value, double* shared)
{
    int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
#pragma unroll
    for (int o = 16; o; o >>= 1)
    {
        value += __shfl_xor_sync(0xffffffffu, value, o);
    }
    __syncthreads();
    if (lane == 0)
    {
        shared[warp] = value;
    }
    __syncthreads();
    double total = 0;
    for (int w = 0; w < WARPS; w++)
    {
        total += shared[w];
    }
    return total;
}

// Sums of squares [gridDim.x] of count values.
extern "C" __global__ void __launch_bounds__(THREADS) square_sums(const float* values, long long count, double* sums)
{
    SHARED_MEMORY
    double sum = 0;
    for (long long i = (long long)blockIdx.x * THREADS + threadIdx.x; i < count; i += (long long)gridDim.x * THREADS)
    {
        sum += (double)values[i] * values[i];
    }
    sum = blockSum(sum, (double*)shared);
    if (threadIdx.x == 0)
    {
        sums[blockIdx.x] = sum;
    }
}

struct Settings
{
    float clip; // greatest norm of the gradient; 0: none
    float learningRate;
    float weightDecay;    // of dense parameters
    float rowWeightDecay; // of item rows
    float beta1, beta2, epsilon;
    float padding;
    double logBeta1, logBeta2;
    double logKeep; // ln(1 - learningRate * rowWeightDecay)
};

__device__ __forceinline__ bool isFinite(double x) { return x - x == 0; }

// Decides on the step, one block. summary: losses [K], norm, number of updates so far.
extern "C" __global__ void __launch_bounds__(THREADS)
update_gate(const double* squares, int count, const double* losses, Settings settings, double* updates, double* decay, Gate* gate,
            unsigned char* applies, double* summary)
{
    SHARED_MEMORY
    double sum = 0;
    for (int i = threadIdx.x; i < count; i += THREADS)
    {
        sum += squares[i];
    }
    sum = blockSum(sum, (double*)shared);
    if (threadIdx.x != 0)
    {
        return;
    }

    double norm = sqrt(sum), update = updates[0] + 1;
    bool isGood = isFinite(norm);
    for (int k = 0; k < K; k++)
    {
        isGood = isGood && isFinite(losses[k]);
        summary[k] = losses[k];
    }

    gate->scale = !isGood ? 0.0 : settings.clip > 0 && norm > settings.clip ? settings.clip / norm : 1.0;
    gate->update = update;
    gate->first = settings.beta1 > 0 ? -expm1(update * settings.logBeta1) : 1.0;
    gate->second = settings.beta2 > 0 ? -expm1(update * settings.logBeta2) : 1.0;
    gate->decayed = decay[0];
    gate->decayedNow = decay[0] + settings.logKeep;
    applies[0] = isGood ? 1 : 0;
    if (isGood)
    {
        updates[0] = update;
        decay[0] = gate->decayedNow;
    }
    summary[K] = norm;
    summary[K + 1] = updates[0];
}

// AdamW (Loshchilov and Hutter 2019). decays: 1 where weight decay applies, else 0.
extern "C" __global__ void __launch_bounds__(THREADS)
update_dense(const Gate* gate, Settings settings, const float* gradients, const float* decays, long long count, float* values,
             float* firsts, float* seconds)
{
    float scale = (float)gate->scale;
    if (scale == 0)
    {
        return;
    }

    float correction1 = (float)gate->first, correction2 = (float)gate->second;
    for (long long i = (long long)blockIdx.x * THREADS + threadIdx.x; i < count; i += (long long)gridDim.x * THREADS)
    {
        float g = gradients[i] * scale;
        float first = settings.beta1 * firsts[i] + (1 - settings.beta1) * g;
        float second = settings.beta2 * seconds[i] + (1 - settings.beta2) * g * g;
        firsts[i] = first;
        seconds[i] = second;
        float step = first / correction1 / (sqrtf(second / correction2) + settings.epsilon);
        values[i] = (1 - settings.learningRate * settings.weightDecay * decays[i]) * values[i] - settings.learningRate * step;
    }
}

// Item rows, the first total[0], each once, with what they missed while idle: decay, and with Adam the powers of beta. A warp a row. firsts: null for
// Adagrad, whose seconds are [capacity x 1].
extern "C" __global__ void __launch_bounds__(THREADS)
update_rows(const Gate* gate, Settings settings, const long long* rows, const int* total, const float* gradients, float* values,
            float* firsts, float* seconds, long long* updated, double* decayed)
{
    int lane = threadIdx.x & 31, u = blockIdx.x * WARPS + (threadIdx.x >> 5);
    float scale = (float)gate->scale;
    if (u >= total[0] || scale == 0)
    {
        return;
    }

    long long row = rows[u];
    double idle = gate->update - 1 - (double)updated[row];
    idle = idle > 0 ? idle : 0;
    float keep = (float)exp(gate->decayedNow - decayed[row]);
    float beta1 = settings.beta1 * (float)exp(idle * settings.logBeta1), beta2 = settings.beta2 * (float)exp(idle * settings.logBeta2);
    float correction1 = (float)gate->first, correction2 = (float)gate->second, accumulated = 0;
    const float* g = gradients + (u64)u * D;
    float* value = values + (u64)row * D;
    if (!firsts)
    {
        float square = 0;
        for (int c = lane; c < D; c += 32)
        {
            square = fmaf(g[c] * scale, g[c] * scale, square);
        }
        accumulated = seconds[row] + warpSum(square) / D;
    }

    for (int c = lane; c < D; c += 32)
    {
        float gradient = g[c] * scale, step = gradient, root = accumulated;
        if (firsts)
        {
            float first = beta1 * firsts[(u64)row * D + c] + (1 - settings.beta1) * gradient;
            float second = beta2 * seconds[(u64)row * D + c] + (1 - settings.beta2) * gradient * gradient;
            firsts[(u64)row * D + c] = first;
            seconds[(u64)row * D + c] = second;
            step = first / correction1;
            root = second / correction2;
        }
        value[c] = value[c] * keep - settings.learningRate * (step / (sqrtf(root) + settings.epsilon));
    }

    // All lanes have read these.
    __syncwarp();
    if (lane == 0)
    {
        updated[row] = (long long)gate->update;
        decayed[row] = gate->decayedNow;
        if (!firsts)
        {
            seconds[row] = accumulated;
        }
    }
}
