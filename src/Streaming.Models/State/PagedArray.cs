namespace Streaming.Models.State;

/// <summary>
/// A large array of which another thread can read a snapshot while the owner keeps writing (copy-on-write by page). Before it
/// changes values, the owner calls <see cref="Touch(int)"/> or obtains them by <see cref="Change"/>; a page that a snapshot
/// still needs is copied first. The reader takes pages not yet copied from the array itself, under the page's lock, so no call
/// waits for more than the copy of one page.
/// </summary>
/// <remarks>
/// One thread owns it and begins snapshots; its workers may touch pages concurrently. Any one thread may read and end a
/// snapshot. Beginning one costs a byte per page; without one, a write costs a test of a flag.
/// </remarks>
/// <typeparam name="T">A number, or a reference to an immutable object.</typeparam>
public sealed class PagedArray<T>
{
    /// <summary>Small pages: a step changes values at random indices, and a page is copied whole.</summary>
    public const int PageBytes = 2048;

    private const int SlabPages = 512;
    private const byte Clean = 0,
        Shared = 1,
        Locked = 2;
    private readonly T[] _data;
    private readonly int _pageLength;
    private readonly byte[] _states;
    private readonly List<T[]> _slabs = [];
    private int[] _copies = [];
    private int _copied;
    private volatile bool _isActive;

    /// <summary>Allocates the array, all zero.</summary>
    /// <param name="length">Number of values, 0 and up.</param>
    public PagedArray(int length)
        : this(length, PageBytes / System.Runtime.CompilerServices.Unsafe.SizeOf<T>()) { }

    /// <summary>Allocates the array, all zero.</summary>
    /// <param name="length">Number of values, 0 and up.</param>
    /// <param name="pageLength">Values per page, 1 and up.</param>
    public PagedArray(int length, int pageLength)
    {
        _data = new T[length];
        _pageLength = pageLength;
        _states = new byte[(length / pageLength) + 1];
    }

    /// <summary>Gets the number of values.</summary>
    public int Length => _data.Length;

    /// <summary>Gets all values. Call <see cref="Touch(int)"/> before writing.</summary>
    public Span<T> Data => _data;

    /// <summary>A value.</summary>
    public T this[int index] => _data[index];

    /// <summary>A value, for writing now.</summary>
    public ref T Change(int index)
    {
        Touch(index);
        return ref _data[index];
    }

    /// <summary>Call before changing a value.</summary>
    public void Touch(int index)
    {
        if (_isActive)
        {
            CopyAside(index / _pageLength);
        }
    }

    /// <summary>Call before changing values.</summary>
    public void Touch(int first, int count)
    {
        if (_isActive && count > 0)
        {
            for (int page = first / _pageLength; page <= (first + count - 1) / _pageLength; page++)
            {
                CopyAside(page);
            }
        }
    }

    /// <summary>Call before changing values of a page.</summary>
    public void TouchPage(int page)
    {
        if (_isActive)
        {
            CopyAside(page);
        }
    }

    /// <summary>Starts a snapshot: <see cref="ReadSnapshot"/> returns the values as they are now.</summary>
    /// <param name="first">First value that the snapshot needs.</param>
    /// <param name="count">Number of values that it needs.</param>
    public void BeginSnapshot(int first, int count)
    {
        if (_isActive)
        {
            throw new InvalidOperationException("A snapshot is active; dispose it before the next begins.");
        }

        Buffers.Grow(ref _copies, _states.Length);
        _copied = 0;
        if (count > 0)
        {
            int page = first / _pageLength;
            _states.AsSpan(page, ((first + count - 1) / _pageLength) - page + 1).Fill(Shared);
        }

        _isActive = true;
    }

    /// <summary>Ends the snapshot.</summary>
    /// <remarks>Call on the reading thread. The owner may be inside <see cref="Touch(int)"/>, so flags are cleared one by one.</remarks>
    public void EndSnapshot()
    {
        for (int page = 0; page < _states.Length; page++)
        {
            if (Lock(page))
            {
                Volatile.Write(ref _states[page], Clean);
            }
        }

        _isActive = false;
        lock (_slabs)
        {
            _slabs.Clear();
        }
    }

    /// <summary>Copies values as of <see cref="BeginSnapshot"/>. Any thread.</summary>
    /// <param name="at">First value.</param>
    /// <param name="destination">Filled completely.</param>
    public void ReadSnapshot(int at, Span<T> destination)
    {
        while (!destination.IsEmpty)
        {
            int page = at / _pageLength,
                inside = at % _pageLength;
            int length = Math.Min(destination.Length, _pageLength - inside);
            if (Lock(page))
            {
                _data.AsSpan(at, length).CopyTo(destination);
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

    /// <summary>Marks pages as read, so that changing them no longer costs a copy. Call on the reading thread.</summary>
    /// <param name="first">First value; everything before it has been released.</param>
    /// <param name="end">First value still to be read; its page is kept.</param>
    public void ReleaseSnapshot(int first, int end)
    {
        for (int page = first / _pageLength; page < end / _pageLength; page++)
        {
            if (Lock(page))
            {
                Volatile.Write(ref _states[page], Clean);
            }
        }
    }

    private void CopyAside(int page)
    {
        if (!Lock(page))
        {
            return;
        }

        T[] slab;
        int copy;
        lock (_slabs)
        {
            copy = _copied++;
            if (copy % SlabPages == 0)
            {
                _slabs.Add(GC.AllocateUninitializedArray<T>(SlabPages * _pageLength));
            }

            slab = _slabs[copy / SlabPages];
        }

        int start = page * _pageLength;
        _data.AsSpan(start, Math.Min(_pageLength, _data.Length - start)).CopyTo(slab.AsSpan(copy % SlabPages * _pageLength));
        _copies[page] = copy;
        Volatile.Write(ref _states[page], Clean);
    }

    private T[] Copy(int page)
    {
        lock (_slabs)
        {
            return _slabs[_copies[page] / SlabPages];
        }
    }

    // True: the page is shared with the snapshot and now locked. False: it has been copied, or never was shared.
    private bool Lock(int page)
    {
        var spin = default(SpinWait);
        while (true)
        {
            byte state = Volatile.Read(ref _states[page]);
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
