namespace Streaming.Learning;

/// <summary>
/// A big table of rows whose state as of one moment can be read by another thread while the owner goes on writing
/// (copy-on-write by pages). Before it changes a row, the owner calls <see cref="Touch(int)"/>; a page that a snapshot still
/// needs is then copied aside first. The reader takes pages not yet copied from the table itself, under the page's lock,
/// so that no call ever waits for more than the copy of one page.
/// </summary>
/// <remarks>One thread owns it and begins snapshots; its workers may touch rows of their own. Snapshots are read and ended by any one thread.</remarks>
internal sealed class PagedRows
{
    // Small pages: a step touches rows at random, and a page is copied whole.
    private const int PageBytes = 2048;
    private const int SlabPages = 512;
    private const int Clean = 0, Shared = 1, Locked = 2;
    private readonly float[] _data;
    private readonly int _shift;
    private readonly int _pageLength;
    private readonly int[] _states;
    private int[] _copies = [];
    private readonly List<float[]> _slabs = [];
    private int _copied;
    private volatile bool _active;

    /// <summary>Allocates the table, all zero.</summary>
    /// <param name="rows">Number of rows, 0 and up.</param>
    /// <param name="columns">Floats a row, 0 and up.</param>
    public PagedRows(int rows, int columns)
    {
        Rows = rows;
        Columns = columns;
        _data = new float[checked(rows * columns)];
        _shift = Math.Max(0, int.Log2(Math.Max(1, PageBytes / sizeof(float) / Math.Max(1, columns))));
        _pageLength = columns << _shift;
        _states = new int[(rows >> _shift) + 1];
    }

    /// <summary>Gets the number of rows.</summary>
    public int Rows { get; }

    /// <summary>Gets the floats a row.</summary>
    public int Columns { get; }

    /// <summary>Gets all rows, end to end. For writing, touch first.</summary>
    public Span<float> Data => _data;

    /// <summary>A row. For writing, touch first.</summary>
    public Span<float> Row(int row) => _data.AsSpan(row * Columns, Columns);

    /// <summary>To be called before a row is changed.</summary>
    public void Touch(int row)
    {
        if (_active)
        {
            CopyAside(row >> _shift);
        }
    }

    /// <summary>To be called before rows are changed.</summary>
    public void Touch(int first, int count)
    {
        if (_active && count > 0)
        {
            for (int page = first >> _shift; page <= (first + count - 1) >> _shift; page++)
            {
                CopyAside(page);
            }
        }
    }

    /// <summary>From now on <see cref="ReadSnapshot"/> shows rows as they are now.</summary>
    /// <param name="first">First row that the snapshot needs.</param>
    /// <param name="count">Number of rows that it needs.</param>
    public void BeginSnapshot(int first, int count)
    {
        if (_active)
        {
            throw new InvalidOperationException("A snapshot is active; dispose it before the next begins.");
        }

        Buffers.Grow(ref _copies, _states.Length);
        _copied = 0;
        if (count > 0)
        {
            int page = first >> _shift;
            _states.AsSpan(page, ((first + count - 1) >> _shift) - page + 1).Fill(Shared);
        }

        _active = true;
    }

    /// <summary>Forgets the snapshot.</summary>
    /// <remarks>On the reading thread: the owner may be inside <see cref="Touch(int)"/>, so flags are cleared one by one.</remarks>
    public void EndSnapshot()
    {
        for (int page = 0; page < _states.Length; page++)
        {
            if (Lock(page))
            {
                Volatile.Write(ref _states[page], Clean);
            }
        }

        _active = false;
        lock (_slabs)
        {
            _slabs.Clear();
        }
    }

    /// <summary>Copies floats as of <see cref="BeginSnapshot"/>; any thread.</summary>
    /// <param name="at">First float, counted from row 0.</param>
    /// <param name="destination">Filled whole.</param>
    public void ReadSnapshot(long at, Span<float> destination)
    {
        while (!destination.IsEmpty)
        {
            int page = (int)(at / _pageLength), inside = (int)(at % _pageLength);
            int length = Math.Min(destination.Length, _pageLength - inside);
            if (Lock(page))
            {
                _data.AsSpan((int)at, length).CopyTo(destination);
                Volatile.Write(ref _states[page], Shared);
            }
            else
            {
                Copy(page).AsSpan((_copies[page] % SlabPages * _pageLength) + inside, length).CopyTo(destination);
            }

            destination = destination[length..];
            at += length;
        }
    }

    private void CopyAside(int page)
    {
        if (!Lock(page))
        {
            return;
        }

        float[] slab;
        int copy;
        lock (_slabs)
        {
            copy = _copied++;
            if (copy % SlabPages == 0)
            {
                _slabs.Add(GC.AllocateUninitializedArray<float>(SlabPages * _pageLength));
            }

            slab = _slabs[copy / SlabPages];
        }

        int start = page * _pageLength;
        _data.AsSpan(start, Math.Min(_pageLength, _data.Length - start)).CopyTo(slab.AsSpan(copy % SlabPages * _pageLength));
        _copies[page] = copy;
        Volatile.Write(ref _states[page], Clean);
    }

    private float[] Copy(int page)
    {
        lock (_slabs)
        {
            return _slabs[_copies[page] / SlabPages];
        }
    }

    // True: the page is shared with the snapshot and now ours. False: it has been copied (or never was shared).
    private bool Lock(int page)
    {
        var spin = default(SpinWait);
        while (true)
        {
            int state = Volatile.Read(ref _states[page]);
            if (state == Clean)
            {
                return false;
            }

            if (state == Shared && Interlocked.CompareExchange(ref _states[page], Locked, Shared) == Shared)
            {
                return true;
            }

            spin.SpinOnce();
        }
    }
}
