using Streaming.Learning.Bank;
using Streaming.Models.State;

namespace Streaming.Learning.Cpu;

/// <summary>
/// Memory bank [CBNS]: the last M positives as (item row, embedding, ln p, step), first in, first out; or the last M distinct ones,
/// each item by its newest embedding.
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
    private readonly RepeatedRows? _repeats;
    private int[] _rows = [];
    private float[] _logQ = [];
    private long[] _steps = [];
    private long[] _ages = [];
    private int _first;

    public MemoryBank(int capacity, int columns, bool distinct = false)
    {
        _capacity = capacity;
        _columns = columns;
        _repeats = distinct ? new RepeatedRows() : null;
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

    /// <summary>ln p of each entry, newest first.</summary>
    public Span<float> LogQ => _logQ.AsSpan(_first, Count);

    /// <summary>Step of each entry, newest first.</summary>
    public Span<long> Steps => _steps.AsSpan(_first, Count);

    /// <summary>Draws since each entry's, itself included, newest first. Only for distinct entries: others are as old as their
    /// place.</summary>
    public Span<long> Ages => _ages.AsSpan(_first, Count);

    /// <summary>Draws in which the newest distinct entries were the last of their items. 0 for entries that may repeat.</summary>
    public long Window(int entries) => _repeats is null || entries == 0 ? 0 : Ages[entries - 1];

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
            Move(Vectors, _rows, _logQ, _steps, _ages, Vectors.Rows - Count);
        }
    }

    /// <summary>Candidate vectors: those of the batch, then the newest entries.</summary>
    public Span<float> Candidates(int batch, int entries) => Vectors.Data.Slice((_first - batch) * _columns, (batch + entries) * _columns);

    /// <summary>Item rows of <see cref="Candidates"/>.</summary>
    public Span<int> CandidateRows(int batch, int entries) => _rows.AsSpan(_first - batch, batch + entries);

    /// <summary>ln p of <see cref="Candidates"/>.</summary>
    public Span<float> CandidateLogQ(int batch, int entries) => _logQ.AsSpan(_first - batch, batch + entries);

    /// <summary>Call before writing the batch's candidates.</summary>
    public void TouchBatch(int batch) => Vectors.Touch(_first - batch, batch);

    /// <summary>Enqueues the positives, whose vectors are the last candidates of the batch, as the newest entries.</summary>
    public void Enqueue(ReadOnlySpan<int> positives, long step)
    {
        _first -= positives.Length;
        Count += positives.Length;
        for (int i = 0; i < positives.Length; i++)
        {
            _rows[_first + positives.Length - 1 - i] = positives[i];
        }

        _steps.AsSpan(_first, positives.Length).Fill(step);
        if (_repeats is not null)
        {
            Age(positives.Length);
            RemoveRepeats(positives.Length);
        }

        Count = Math.Min(_capacity, Count);
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
        (int[] rows, float[] logQ) = (new int[size], new float[size]);
        (long[] steps, long[] ages) = (new long[size], new long[_repeats is null ? 0 : size]);
        Move(vectors, rows, logQ, steps, ages, size - Count);
        (Vectors, _rows, _logQ, _steps, _ages) = (vectors, rows, logQ, steps, ages);
    }

    private void Move(PagedRows vectors, int[] rows, float[] logQ, long[] steps, long[] ages, int to)
    {
        vectors.Touch(to, Count);
        Copy(vectors, rows, logQ, steps, ages, _first, to, Count);
        _first = to;
    }

    private void Copy(PagedRows vectors, int[] rows, float[] logQ, long[] steps, long[] ages, int from, int to, int count)
    {
        Vectors.Data.Slice(from * _columns, count * _columns).CopyTo(vectors.Data[(to * _columns)..]);
        Array.Copy(_rows, from, rows, to, count);
        Array.Copy(_logQ, from, logQ, to, count);
        Array.Copy(_steps, from, steps, to, count);
        if (_repeats is not null)
        {
            Array.Copy(_ages, from, ages, to, count);
        }
    }

    private void Age(int fresh)
    {
        for (int entry = 0; entry < fresh; entry++)
        {
            _ages[_first + entry] = entry + 1;
        }

        foreach (ref long age in Ages[fresh..])
        {
            age += fresh;
        }
    }

    // Closes the gaps from the oldest to the newest: what is newer than a repeated entry moves back by one place.
    private void RemoveRepeats(int fresh)
    {
        ReadOnlySpan<int> repeats = _repeats!.Find(Rows, fresh);
        if (repeats.IsEmpty)
        {
            return;
        }

        Vectors.Touch(_first, repeats[^1] + 1);
        for (int i = repeats.Length - 1; i >= 0; i--)
        {
            int from = i == 0 ? 0 : repeats[i - 1] + 1;
            Copy(Vectors, _rows, _logQ, _steps, _ages, _first + from, _first + from + repeats.Length - i, repeats[i] - from);
        }

        _first += repeats.Length;
        Count -= repeats.Length;
    }
}
