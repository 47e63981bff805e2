using System.Text.Json;
using Streaming.Formats.Inputs;

namespace Streaming.Encoders.Catalogues;

/// <summary>
/// A file of JSON lines that begin with an item's id and the hash of what the line was made of, so that work that is done is not done
/// again. The last line of an item counts. It is only appended to: what a crash leaves is whole lines, and a torn one that is cut off.
/// </summary>
public sealed class SourceLog : IDisposable
{
    private readonly string _path;
    private readonly Dictionary<string, (string Source, long Start)> _items = new(StringComparer.Ordinal);
    private FileStream _file;

    private SourceLog(string path, FileStream file)
    {
        _path = path;
        _file = file;
    }

    /// <summary>Gets the number of items.</summary>
    public int Count => _items.Count;

    /// <summary>Opens a file, or creates it.</summary>
    /// <exception cref="InputFileException">It is not such a file, or another process has it open.</exception>
    public static SourceLog Open(string path)
    {
        try
        {
            var log = new SourceLog(path, new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1 << 16));
            try
            {
                log._file.SetLength(LineFile.Read(log._file, log.Index));
                log._file.Seek(0, SeekOrigin.End);
                return log;
            }
            catch
            {
                log.Dispose();
                throw;
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new InputFileException($"{path}: {exception.Message}", exception);
        }
    }

    /// <summary>The hash of an item's line, or null.</summary>
    public string? Find(string item) => _items.TryGetValue(item, out (string Source, long Start) found) ? found.Source : null;

    /// <summary>Appends an item's line.</summary>
    /// <param name="item">The id, with which the line begins.</param>
    /// <param name="source">The hash, which follows.</param>
    /// <param name="line">The line, without its end.</param>
    public void Append(string item, string source, ReadOnlySpan<byte> line)
    {
        _items[item] = (source, _file.Position);
        _file.Write(line);
        _file.WriteByte((byte)'\n');
    }

    /// <summary>Writes what was appended to the disk.</summary>
    public void Flush() => _file.Flush(flushToDisk: true);

    /// <summary>Rewrites the file without lines that do not count, and without items that are not to be kept.</summary>
    /// <returns>The number of items that were not kept.</returns>
    public int Compact(Func<string, bool> keep)
    {
        string[] gone = [.. _items.Keys.Where(item => !keep(item))];
        foreach (string item in gone)
        {
            _items.Remove(item);
        }

        Flush();
        var starts = new HashSet<long>(_items.Values.Select(static item => item.Start));
        if (CountLines() == starts.Count)
        {
            return 0;
        }

        string copy = _path + ".new";
        using (FileStream compact = File.Create(copy))
        {
            CopyLines(starts, compact);
            compact.Flush(flushToDisk: true);
        }

        _file.Dispose();
        File.Move(copy, _path, overwrite: true);
        _items.Clear();
        _file = new FileStream(_path, FileMode.Open, FileAccess.ReadWrite, FileShare.None, 1 << 16);
        LineFile.Read(_file, Index);
        return gone.Length;
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private long CountLines()
    {
        long lines = 0;
        _file.Seek(0, SeekOrigin.Begin);
        LineFile.Read(_file, (_, _, _) => lines++);
        return lines;
    }

    private void CopyLines(HashSet<long> starts, FileStream destination)
    {
        var all = new List<long>();
        _file.Seek(0, SeekOrigin.Begin);
        all.Add(LineFile.Read(_file, (_, start, _) => all.Add(start)));
        all.Sort();
        byte[] buffer = [];
        for (int i = 0; i + 1 < all.Count; i++)
        {
            if (starts.Contains(all[i]))
            {
                int length = checked((int)(all[i + 1] - all[i]));
                buffer = buffer.Length < length ? new byte[2 * length] : buffer;
                _file.Seek(all[i], SeekOrigin.Begin);
                _file.ReadExactly(buffer, 0, length);
                destination.Write(buffer, 0, length);
            }
        }
    }

    private void Index(long number, long start, ReadOnlySpan<byte> head)
    {
        try
        {
            var json = new Utf8JsonReader(head, isFinalBlock: false, state: default);
            if (
                json.Read()
                && json.TokenType == JsonTokenType.StartObject
                && Text(ref json, "item_id"u8) is { } item
                && Text(ref json, "source"u8) is { } source
            )
            {
                _items[item] = (source, start);
                return;
            }
        }
        catch (JsonException)
        {
            // Refused below.
        }

        throw new InputFileException(
            $"{_path}, line {number}: the file is not one that `encode` wrote; allowed: a new file, or one that it wrote"
        );
    }

    private static string? Text(ref Utf8JsonReader json, ReadOnlySpan<byte> name) =>
        json.Read()
        && json.TokenType == JsonTokenType.PropertyName
        && json.ValueTextEquals(name)
        && json.Read()
        && json.TokenType == JsonTokenType.String
            ? json.GetString()
            : null;
}
