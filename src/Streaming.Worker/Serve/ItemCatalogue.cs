using System.Text.Unicode;
using Streaming.Core.Events;
using Streaming.Formats.Delimited;
using Streaming.Formats.Inputs;
using Streaming.Transport.Kafka.Decoding;

namespace Streaming.Worker.Serve;

/// <summary>
/// Item metadata from files: rows of item,title,brand,… (any names after the first), such as MovieLens' movies.csv.
/// </summary>
public sealed class ItemCatalogue
{
    private static readonly ItemLimits Limits = new();
    private readonly Dictionary<string, Dictionary<string, string>> _items = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _fields = new(StringComparer.Ordinal);

    /// <summary>Gets the number of items.</summary>
    public int Count => _items.Count;

    /// <summary>Gets the names of the fields that any item has.</summary>
    public IReadOnlyCollection<string> Fields => _fields;

    /// <summary>Reads item files; an item's fields in several of them add up. Columns become plain text fields under their lower-cased
    /// names.</summary>
    /// <exception cref="InputFileException">A file is missing, its header is invalid, or a row is unreadable; the message names
    /// it.</exception>
    public static ItemCatalogue ReadAll(IEnumerable<string> paths)
    {
        ArgumentNullException.ThrowIfNull(paths);
        var catalogue = new ItemCatalogue();
        foreach (string path in paths)
        {
            try
            {
                catalogue.Read(path);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidDataException)
            {
                throw new InputFileException($"{path}: {exception.Message}", exception);
            }
        }

        return catalogue;
    }

    /// <summary>The text fields of an item, or null.</summary>
    public IReadOnlyDictionary<string, string>? Find(string item) => _items.GetValueOrDefault(item);

    private void Read(string path)
    {
        using var rows = DelimitedReader.OpenFile(path);
        if (!rows.Read() || rows.Count < 2)
        {
            throw new InputFileException($"{path}, line 1: expected a header item,title,…");
        }

        string[] names = [.. Enumerable.Range(0, rows.Count).Select(field => Lower(rows.Text(field)))];
        CheckHeader(path, names);

        // The last of an item's rows counts: catalogues are often appended snapshots.
        var read = new Dictionary<string, Dictionary<string, string>>(StringComparer.Ordinal);
        while (rows.Read())
        {
            if (rows.Problem is not null || rows.Count != names.Length || rows[0].IsEmpty)
            {
                throw new InputFileException(
                    $"{path}, line {rows.Line}: {rows.Problem ?? $"{rows.Count} fields; expected {names.Length}, the first not empty"}"
                );
            }

            var text = new Dictionary<string, string>(StringComparer.Ordinal);
            for (int field = 1; field < names.Length; field++)
            {
                Check(path, rows, field, names[field]);
                if (!rows[field].IsEmpty)
                {
                    text[names[field]] = rows.Text(field);
                }
            }

            Check(path, rows, 0, names[0]);
            read[rows.Text(0)] = text;
        }

        Add(path, read);
    }

    /// <summary>Adds the fields of a file to those of the files before it.</summary>
    private void Add(string path, Dictionary<string, Dictionary<string, string>> read)
    {
        foreach ((string item, Dictionary<string, string> text) in read)
        {
            if (_items.TryGetValue(item, out Dictionary<string, string>? known))
            {
                foreach ((string name, string value) in known)
                {
                    text.TryAdd(name, value);
                }
            }

            if (text.Count > Limits.MaxTextFields)
            {
                throw new InputFileException(
                    $"{path}: item '{item}' has {text.Count} fields with those of the other files; allowed: {Limits.MaxTextFields}"
                );
            }

            _items[item] = text;
            _fields.UnionWith(text.Keys);
        }
    }

    // Checks here what the worker that reads the topic would refuse, while file and line are still known.
    private static void CheckHeader(string path, string[] names)
    {
        if (names[0] is not ("item" or "itemid" or "item_id" or "id" or "movieid" or "item_id:token"))
        {
            throw new InputFileException($"{path}, line 1: the first column is \"{names[0]}\"; expected item (or itemId, id, movieId)");
        }

        int wrong = Array.FindIndex(names, static name => name.Length is 0 or > InteractionEvent.MaxIdBytes);
        if (wrong >= 0)
        {
            throw new InputFileException(
                $"{path}, line 1: column {wrong + 1} has "
                    + $"{(names[wrong].Length == 0 ? "no name" : $"a name longer than {InteractionEvent.MaxIdBytes} characters")}"
            );
        }

        if (names.Length - 1 > Limits.MaxTextFields)
        {
            throw new InputFileException($"{path}, line 1: {names.Length - 1} columns besides the item; allowed: {Limits.MaxTextFields}");
        }
    }

    private static void Check(string path, DelimitedReader rows, int field, string name)
    {
        ReadOnlySpan<byte> value = rows[field];
        string? problem =
            !Utf8.IsValid(value) ? "is not UTF-8"
            : field == 0 && value.Length > InteractionEvent.MaxIdBytes ? $"is longer than {InteractionEvent.MaxIdBytes} bytes"
            : field > 0 && value.Length > Limits.MaxTextLength && rows.Text(field).Length > Limits.MaxTextLength
                ? $"is longer than {Limits.MaxTextLength} characters"
            : null;
        if (problem is not null)
        {
            throw new InputFileException($"{path}, line {rows.Line}, column {name}: the value {problem}");
        }
    }

    private static string Lower(string name) => name.Trim().ToLowerInvariant();
}
