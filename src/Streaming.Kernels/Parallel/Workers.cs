using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace Streaming.Kernels.Parallel;

/// <summary>
/// A fixed team of threads that runs one fork-join job at a time: the caller and <see cref="Threads"/> − 1 helpers. A job
/// allocates nothing. A helper spins briefly after a job before it sleeps, because a training step is a chain of jobs that
/// are each shorter than a thread's wake-up.
/// </summary>
/// <remarks>
/// Threads claim parts from a counter, so a part may run on any thread and its result must depend only on its number. The
/// caller sums over parts afterwards, in part order, which makes results bitwise identical for any number of threads. Only one
/// thread may call <see cref="Run{TState}"/> at a time, and never from within a part.
/// </remarks>
public sealed class Workers : IDisposable
{
    // Longer than the gaps inside a step, shorter than a scheduler's time slice. A time, not a count: how long a pause takes depends on
    // the CPU and the runtime, and what is spent here is missing elsewhere.
    private const int SpinMicroseconds = 50;
    private const int PausesPerSpin = 4;
    private static readonly long SpinTime = SpinMicroseconds * Stopwatch.Frequency / 1_000_000;

    private readonly Thread[] _helpers;
    private readonly SemaphoreSlim _wake = new(0);
    private Delegate? _action;
    private JobInvoker? _invoker;
    private nint _state;

    // High half: job number. Low half: unclaimed parts. One word, so that a late helper can never claim a part of a job that it
    // has not seen.
    private long _ticket;
    private int _unfinished;
    private int _sleepers;
    private volatile bool _isStopping;
    private ExceptionDispatchInfo? _failure;

    /// <summary>Starts the helpers.</summary>
    /// <param name="threads">Number of threads including the caller, 1 … 256.</param>
    public Workers(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(threads, 256);
        Threads = threads;
        _helpers = new Thread[threads - 1];
        for (int i = 0; i < _helpers.Length; i++)
        {
            int worker = i + 1;
            _helpers[i] = new Thread(() => Help(worker)) { IsBackground = true, Name = $"kernel-{worker}" };
            _helpers[i].Start();
        }
    }

    private delegate void JobInvoker(Delegate action, nint state, int part, int worker);

    /// <summary>Gets the number of threads including the caller.</summary>
    public int Threads { get; }

    /// <summary>Runs all parts of a job and returns when all are done.</summary>
    /// <typeparam name="TState">The job's state; may hold spans, because it stays on the caller's stack.</typeparam>
    /// <param name="parts">Number of parts, 0 and up.</param>
    /// <param name="state">State shared by the parts: they work on a stack copy, which is written back at the end.</param>
    /// <param name="action">Runs one part. Pass a static lambda to avoid an allocation.</param>
    /// <remarks>Rethrows the first exception of a part after all parts have ended.</remarks>
    public void Run<TState>(int parts, ref TState state, WorkerAction<TState> action)
        where TState : allows ref struct
    {
        ArgumentNullException.ThrowIfNull(action);
        ArgumentOutOfRangeException.ThrowIfNegative(parts);
        if (_helpers.Length == 0 || parts < 2)
        {
            for (int part = 0; part < parts; part++)
            {
                action(ref state, part, 0);
            }

            return;
        }

        // The caller's reference may point into an object, which the garbage collector can move; a local does not move.
        TState local = state;
        Publish(parts, Invoker<TState>.Address(ref local), action, Invoker<TState>.Instance);
        Work((int)(Volatile.Read(ref _ticket) >> 32), 0);
        SpinWait wait = default;
        while (Volatile.Read(ref _unfinished) != 0)
        {
            // Never sleep for a millisecond: the helper needs only microseconds, unless it lost its core.
            wait.SpinOnce(sleep1Threshold: -1);
        }

        _action = null;
        state = local;
        if (_failure is { } failure)
        {
            _failure = null;
            failure.Throw();
        }
    }

    /// <summary>Runs a job on a team, or on the calling thread when there is none.</summary>
    /// <typeparam name="TState">The job's state.</typeparam>
    /// <param name="workers">The team, or null.</param>
    /// <param name="parts">Number of parts, 0 and up.</param>
    /// <param name="state">State shared by the parts.</param>
    /// <param name="action">Runs one part.</param>
    public static void RunOn<TState>(Workers? workers, int parts, ref TState state, WorkerAction<TState> action)
        where TState : allows ref struct
    {
        ArgumentNullException.ThrowIfNull(action);
        if (workers is not null)
        {
            workers.Run(parts, ref state, action);
            return;
        }

        for (int part = 0; part < parts; part++)
        {
            action(ref state, part, 0);
        }
    }

    /// <summary>First item of a part when <paramref name="items"/> items are divided evenly in multiples of
    /// <paramref name="granularity"/>.</summary>
    /// <param name="items">Number of items.</param>
    /// <param name="parts">Number of parts.</param>
    /// <param name="part">The part; <paramref name="parts"/> itself gives the end.</param>
    /// <param name="granularity">Parts begin at multiples of this.</param>
    public static int Begin(int items, int parts, int part, int granularity = 1)
    {
        long blocks = (items + granularity - 1L) / granularity;
        return (int)Math.Min(items, blocks * part / parts * granularity);
    }

    /// <summary>Stops the helpers.</summary>
    public void Dispose()
    {
        if (_isStopping)
        {
            return;
        }

        _isStopping = true;
        Interlocked.Add(ref _ticket, 1L << 32);
        _wake.Release(_helpers.Length + 1);
        foreach (Thread helper in _helpers)
        {
            helper.Join();
        }

        _wake.Dispose();
    }

    private void Publish(int parts, nint state, Delegate action, JobInvoker invoker)
    {
        ObjectDisposedException.ThrowIf(_isStopping, this);
        _state = state;
        _action = action;
        _invoker = invoker;
        Volatile.Write(ref _unfinished, parts);
        long job = (Volatile.Read(ref _ticket) >> 32) + 1;
        Interlocked.Exchange(ref _ticket, (job << 32) | (uint)parts);
        int sleepers = Interlocked.Exchange(ref _sleepers, 0);
        if (sleepers > 0)
        {
            _wake.Release(sleepers);
        }
    }

    private void Help(int worker)
    {
        int seen = 0;
        while (!_isStopping)
        {
            int job = AwaitJob(seen);
            if (!_isStopping)
            {
                Work(job, worker);
            }

            seen = job;
        }
    }

    private int AwaitJob(int seen)
    {
        long began = Stopwatch.GetTimestamp();
        while (true)
        {
            int job = (int)(Volatile.Read(ref _ticket) >> 32);
            if (job != seen)
            {
                return job;
            }

            if (Stopwatch.GetTimestamp() - began < SpinTime)
            {
                Thread.SpinWait(PausesPerSpin);
                continue;
            }

            // Announce, then check again: a job published in between either sees the sleeper or is seen here. A permit left over
            // from that race only makes a later wait return early.
            Interlocked.Increment(ref _sleepers);
            if ((int)(Volatile.Read(ref _ticket) >> 32) == seen)
            {
                _wake.Wait();
            }

            began = Stopwatch.GetTimestamp();
        }
    }

    private void Work(int job, int worker)
    {
        while (true)
        {
            long ticket = Volatile.Read(ref _ticket);
            int unclaimed = (int)ticket;
            if ((int)(ticket >> 32) != job || unclaimed == 0)
            {
                return;
            }

            if (Interlocked.CompareExchange(ref _ticket, ticket - 1, ticket) == ticket)
            {
                // The caller cannot leave Run before this part is counted, so action and state are this job's.
                RunPart(unclaimed - 1, worker);
            }
        }
    }

    private void RunPart(int part, int worker)
    {
        try
        {
            _invoker!(_action!, _state, part, worker);
        }
#pragma warning disable CA1031 // Any exception is rethrown on the caller's thread.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Interlocked.CompareExchange(ref _failure, ExceptionDispatchInfo.Capture(exception), null);
        }
        finally
        {
            Interlocked.Decrement(ref _unfinished);
        }
    }

    /// <summary>
    /// Passes a reference to the caller's stack to the helpers as a raw address. Safe because <see cref="Run{TState}"/> passes a
    /// local, the stack does not move, the caller stays in <see cref="Run{TState}"/> until the last part is done, and the garbage
    /// collector updates the spans inside the state in place, where all threads read them.
    /// </summary>
    private static class Invoker<TState>
        where TState : allows ref struct
    {
        public static readonly JobInvoker Instance = static (action, state, part, worker) =>
            Unsafe.As<WorkerAction<TState>>(action)(ref Unsafe.AddByteOffset(ref Unsafe.NullRef<TState>(), state), part, worker);

        public static nint Address(ref TState state) => Unsafe.ByteOffset(ref Unsafe.NullRef<TState>(), ref state);
    }
}
