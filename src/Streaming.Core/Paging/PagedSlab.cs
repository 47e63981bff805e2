namespace Streaming.Core.Paging;

/// <summary>
/// Fixed-size blocks of 64-bit words in pages that are allocated one at a time. A view shares all pages in one short pass; a
/// shared page is copied on first write, so the owner never pauses for longer than one page copy.
/// </summary>
/// <remarks>One thread owns it. Other threads may read and release views.</remarks>
internal sealed class PagedSlab
{
    /// <summary>16 KiB per page: a view costs nine bytes per page, and a write to a shared page a copy of a microsecond or two.</summary>
    private const int PageWords = 2048;

    private readonly int _stride;
    private readonly int _shift;
    private readonly int _mask;
    private long[][] _pages = [];
    private bool[] _shared = [];
    private int _pageCount;
    private int _used;
    private int _free = -1;
    private int _viewers;

    /// <summary>Creates an empty slab.</summary>
    /// <param name="stride">Words in a block, 1 and up.</param>
    public PagedSlab(int stride)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(stride, 1);
        _stride = stride;
        _shift = int.Log2(int.Max(1, PageWords / stride));
        _mask = (1 << _shift) - 1;
    }

    /// <summary>Gets the size of the pages in bytes.</summary>
    public long Bytes => (long)_pageCount * (_mask + 1) * _stride * sizeof(long);

    /// <summary>Allocates a block; its contents are undefined.</summary>
    public int Allocate()
    {
        if (_free >= 0)
        {
            int index = _free;
            _free = (int)Read(index)[0];
            return index;
        }

        if (_used == _pageCount << _shift)
        {
            AddPage();
        }

        return _used++;
    }

    /// <summary>Frees a block. Its first word becomes the link of the free list.</summary>
    public void Free(int index)
    {
        Write(index)[0] = _free;
        _free = index;
    }

    /// <summary>A block, for reading.</summary>
    public ReadOnlySpan<long> Read(int index) => _pages[index >> _shift].AsSpan((index & _mask) * _stride, _stride);

    /// <summary>A block, for writing: copies its page first if a view still shares it.</summary>
    public Span<long> Write(int index)
    {
        int page = index >> _shift;
        if (_shared[page] && Volatile.Read(ref _viewers) > 0)
        {
            _pages[page] = (long[])_pages[page].Clone();
            _shared[page] = false;
        }

        return _pages[page].AsSpan((index & _mask) * _stride, _stride);
    }

    /// <summary>Shares all pages as they are now. Release the view when done.</summary>
    public View Share()
    {
        Interlocked.Increment(ref _viewers);
        _shared.AsSpan(0, _pageCount).Fill(true);
        return new View(this, _pages.AsSpan(0, _pageCount).ToArray());
    }

    private void AddPage()
    {
        if (_pageCount == _pages.Length)
        {
            Array.Resize(ref _pages, int.Max(16, _pageCount * 2));
            Array.Resize(ref _shared, _pages.Length);
        }

        _pages[_pageCount] = new long[(_mask + 1) * _stride];
        _shared[_pageCount++] = false;
    }

    /// <summary>The blocks as they were when shared.</summary>
    internal sealed class View(PagedSlab owner, long[][] pages)
    {
        private int _released;

        public ReadOnlySpan<long> Read(int index) =>
            pages[index >> owner._shift].AsSpan((index & owner._mask) * owner._stride, owner._stride);

        public void Release()
        {
            if (Interlocked.Exchange(ref _released, 1) == 0)
            {
                Interlocked.Decrement(ref owner._viewers);
            }
        }
    }
}
