using Streaming.Models.State;

namespace Streaming.Learning.Cpu;

/// <summary>
/// Memory bank [CBNS]: the last M positives as (item row, embedding, ln q, step), first in, first out.
/// </summary>
/// <remarks>
/// Entries are stored newest first in a longer buffer, and the batch's candidates directly precede the newest: extra negatives,
/// then the positives, last one first. Batch and bank thus form one contiguous candidate matrix, and enqueuing the positives
/// only moves the start by their number. When the start reaches the front of the buffer, the live entries are moved back once.
/// </remarks>
internal sealed class MemoryBank
{
    private readonly int _capacity;
    private readonly int _columns;
    private int[] _rows = [];
    private float[] _logQ = [];
    private long[] _steps = [];
    private int _first;

    public MemoryBank(int capacity, int columns)
    {
        _capacity = capacity;
        _columns = columns;
        Vectors = new PagedRows(0, columns);
        Reserve(256);
    }

    /// <summary>Gets the number of entries.</summary>
    public int Count { get; private set; }

    /// <summary>Gets the index of the newest entry in <see cref="Vectors"/>.</summary>
    public int First => _first;

    /// <summary>Gets the buffer of embeddings.</summary>
    public PagedRows Vectors { get; private set; }

    /// <summary>Item row of each entry, newest first.</summary>
    public Span<int> Rows => _rows.AsSpan(_first, Count);

    /// <summary>ln q of each entry, newest first.</summary>
    public Span<float> LogQ => _logQ.AsSpan(_first, Count);

    /// <summary>Step of each entry, newest first.</summary>
    public Span<long> Steps => _steps.AsSpan(_first, Count);

    /// <summary>Reserves space for the candidates of a batch before the newest entry.</summary>
    public void Reserve(int candidates)
    {
        if (_first >= candidates)
        {
            return;
        }

        int slack = Math.Max(candidates + (candidates / 4), _capacity / 2);
        if (Vectors.Rows < _capacity + slack)
        {
            Reallocate(_capacity + slack);
        }
        else
        {
            Move(Vectors, _rows, _logQ, _steps, Vectors.Rows - Count);
        }
    }

    /// <summary>Candidate vectors: those of the batch, then the newest entries.</summary>
    public Span<float> Candidates(int batch, int entries) => Vectors.Data.Slice((_first - batch) * _columns, (batch + entries) * _columns);

    /// <summary>Item rows of <see cref="Candidates"/>.</summary>
    public Span<int> CandidateRows(int batch, int entries) => _rows.AsSpan(_first - batch, batch + entries);

    /// <summary>ln q of <see cref="Candidates"/>.</summary>
    public Span<float> CandidateLogQ(int batch, int entries) => _logQ.AsSpan(_first - batch, batch + entries);

    /// <summary>Call before writing the batch's candidates.</summary>
    public void TouchBatch(int batch) => Vectors.Touch(_first - batch, batch);

    /// <summary>Enqueues the positives, whose vectors are the last candidates of the batch, as the newest entries.</summary>
    public void Enqueue(ReadOnlySpan<int> positives, long step)
    {
        _first -= positives.Length;
        Count = Math.Min(_capacity, Count + positives.Length);
        for (int i = 0; i < positives.Length; i++)
        {
            _rows[_first + positives.Length - 1 - i] = positives[i];
        }

        _steps.AsSpan(_first, positives.Length).Fill(step);
    }

    /// <summary>Clears the id of an item's entries; they remain as negatives for every row.</summary>
    public void Forget(int row)
    {
        foreach (ref int entry in Rows)
        {
            entry = entry == row ? -1 : entry;
        }
    }

    /// <summary>Replaces the contents by <paramref name="count"/> entries, which the caller then fills.</summary>
    public void Reset(int count)
    {
        if (count < 0 || count > _capacity)
        {
            throw new StateMismatchException(
                $"bank.vectors has {count} entries; the model's BankCapacity is {_capacity}. Start with BankCapacity of at least {count}."
            );
        }

        Count = 0;
        _first = Vectors.Rows - count;
        Vectors.Touch(_first, count);
        Count = count;
    }

    private void Reallocate(int size)
    {
        // A snapshot of the old buffer stays valid: nothing writes to it any more.
        var vectors = new PagedRows(size, _columns);
        (int[]? rows, float[]? logQ, long[]? steps) = (new int[size], new float[size], new long[size]);
        Move(vectors, rows, logQ, steps, size - Count);
        (Vectors, _rows, _logQ, _steps) = (vectors, rows, logQ, steps);
    }

    private void Move(PagedRows vectors, int[] rows, float[] logQ, long[] steps, int to)
    {
        vectors.Touch(to, Count);
        Vectors.Data.Slice(_first * _columns, Count * _columns).CopyTo(vectors.Data[(to * _columns)..]);
        Array.Copy(_rows, _first, rows, to, Count);
        Array.Copy(_logQ, _first, logQ, to, Count);
        Array.Copy(_steps, _first, steps, to, Count);
        _first = to;
    }
}
