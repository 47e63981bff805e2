using System.Buffers;
using Streaming.Encoders.Pictures;
using Streaming.Encoders.Texts;
using Streaming.Formats.Catalogues;
using Streaming.Formats.Inputs;

namespace Streaming.Encoders.Catalogues;

/// <summary>
/// Encodes the texts and pictures of a catalogue into a file of item records. Items whose record, picture and encoders are what they were
/// are left as they are: the next run continues one that was stopped, and encodes what has changed since.
/// </summary>
public sealed class CatalogueEncoder : IDisposable
{
    private const int Told = 5;

    private readonly EncodeOptions _options;
    private readonly Action<string> _tell;
    private readonly CatalogueIndex _catalogue;
    private readonly TextEncoder? _text;
    private readonly PictureEncoder? _picture;
    private readonly PictureFolder _pictures;
    private readonly SourceLog _file;
    private readonly string _encoders;
    private readonly List<Pending> _batch = [];
    private readonly ArrayBufferWriter<byte> _line = new(1 << 16);

    /// <summary>Reads the catalogue, loads the models and opens the file.</summary>
    /// <param name="options">Options; at least one encoder.</param>
    /// <param name="tell">Receives a line on what is not used.</param>
    /// <exception cref="InputFileException">A file is missing or not what it should be.</exception>
    /// <exception cref="Onnx.EncoderLibraryException">A native library cannot be loaded.</exception>
    public CatalogueEncoder(EncodeOptions options, Action<string> tell)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(tell);
        _options = options;
        _tell = tell;
        _catalogue = CatalogueIndex.Read(options.Items, options.ItemColumns, tell);
        if (options.Text is not null)
        {
            _catalogue.Require("--text", options.TextFields);
        }

        if (options.Picture is not null)
        {
            _catalogue.Require("--image", options.PictureField);
        }

        _pictures = new PictureFolder(options.PictureFolder);
        try
        {
            _text = options.Text is null ? null : new TextEncoder(options.Text, options.Threads);
            _picture = options.Picture is null ? null : new PictureEncoder(options.Picture, options.Threads);
            _encoders = string.Join(
                '\n',
                _text?.Fingerprint,
                options.TextGroup,
                string.Join('+', options.TextFields),
                _picture?.Fingerprint,
                options.PictureGroup,
                options.PictureField
            );
            _file = SourceLog.Open(options.Output);
        }
        catch
        {
            Close();
            throw;
        }

        Counts = new EncodeCounts { Items = _catalogue.Count, Groups = string.Join(',', Groups()) };
    }

    /// <summary>Gets what became of the items so far.</summary>
    public EncodeCounts Counts { get; private set; }

    /// <summary>Encodes.</summary>
    /// <param name="progress">Called after every batch.</param>
    /// <param name="stopping">Stops after a batch; what is written stays.</param>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    /// <exception cref="InputFileException">A file changed, or no item has a picture that can be used.</exception>
    public void Run(Action<EncodeCounts> progress, CancellationToken stopping)
    {
        ArgumentNullException.ThrowIfNull(progress);
        foreach (CatalogueItem item in _catalogue.Items())
        {
            Add(item);
            if (_batch.Count == _options.Batch)
            {
                Encode();
                progress(Counts);
                stopping.ThrowIfCancellationRequested();
            }
        }

        Encode();
        Counts = Counts with { Removed = _file.Compact(_catalogue.Contains) };
        if (_picture is not null && Counts.BadPictures + Counts.WithoutPicture == Counts.Items)
        {
            throw new InputFileException(
                $"{string.Join(", ", _options.Items)}: none of {Counts.Items} items has a picture that can be used; field "
                    + $"'{_options.PictureField}' (--image) is a path below {Path.GetFullPath(_options.PictureFolder)} (--images)"
            );
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Close();
        _file.Dispose();
    }

    private void Close()
    {
        _text?.Dispose();
        _picture?.Dispose();
    }

    private IEnumerable<string> Groups()
    {
        if (_text is not null)
        {
            yield return $"{_options.TextGroup}:{_text.Length}";
        }

        if (_picture is not null)
        {
            yield return $"{_options.PictureGroup}:{_picture.Length}";
        }
    }

    private void Add(CatalogueItem item)
    {
        byte[]? picture = _picture is null ? null : ReadPicture(item);
        string source = EncodedLine.SourceOf(_encoders, item, picture);
        string text = _text is null ? string.Empty : TextOf(item);
        Counts = Counts with { WithoutText = Counts.WithoutText + (_text is not null && text.Length == 0 ? 1 : 0) };
        if (_file.Find(item.Id) == source)
        {
            Counts = Counts with { Unchanged = Counts.Unchanged + 1 };
            return;
        }

        float[]? pixels = null;
        if (picture is not null && _picture!.Read(picture, out pixels) is { } problem)
        {
            CountBad(item, problem);

            // No hash: the next run tries again, and says so again.
            source = string.Empty;
        }

        _batch.Add(new Pending(item, source, text, pixels));
    }

    private string TextOf(CatalogueItem item) =>
        string.Join(
            ' ',
            _options.TextFields.Select(field => item.Text.GetValueOrDefault(field)).Where(static value => !string.IsNullOrWhiteSpace(value))
        );

    private byte[]? ReadPicture(CatalogueItem item)
    {
        if (!item.Text.TryGetValue(_options.PictureField, out string? name) || string.IsNullOrWhiteSpace(name))
        {
            Counts = Counts with { WithoutPicture = Counts.WithoutPicture + 1 };
            return null;
        }

        byte[]? picture = _pictures.Read(name, out string? problem);
        if (picture is null)
        {
            CountBad(item, problem!);
        }

        return picture;
    }

    private void CountBad(CatalogueItem item, string problem)
    {
        Counts = Counts with { BadPictures = Counts.BadPictures + 1 };
        if (Counts.BadPictures <= Told)
        {
            _tell($"item '{item.Id}': its picture '{item.Text.GetValueOrDefault(_options.PictureField)}' is not used: {problem}");
        }
    }

    private void Encode()
    {
        if (_batch.Count == 0)
        {
            return;
        }

        Dictionary<string, float[]>[] features = [.. _batch.Select(static _ => new Dictionary<string, float[]>(StringComparer.Ordinal))];
        int[] texts = [.. Enumerable.Range(0, _batch.Count).Where(i => _batch[i].Text.Length > 0)];
        int[] pictures = [.. Enumerable.Range(0, _batch.Count).Where(i => _batch[i].Pixels is not null)];
        if (texts.Length > 0)
        {
            Set(_options.TextGroup, texts, _text!.Encode([.. texts.Select(i => _batch[i].Text)]), features);
        }

        if (pictures.Length > 0)
        {
            Set(_options.PictureGroup, pictures, _picture!.Encode([.. pictures.Select(i => _batch[i].Pixels!)]), features);
        }

        for (int i = 0; i < _batch.Count; i++)
        {
            _line.ResetWrittenCount();
            EncodedLine.Write(_batch[i].Item, _batch[i].Source, features[i], _line);
            _file.Append(_batch[i].Item.Id, _batch[i].Source, _line.WrittenSpan);
        }

        _file.Flush();
        Counts = Counts with { Encoded = Counts.Encoded + _batch.Count };
        _batch.Clear();
    }

    private static void Set(string group, int[] items, float[][] vectors, Dictionary<string, float[]>[] features)
    {
        for (int i = 0; i < items.Length; i++)
        {
            features[items[i]][group] = vectors[i];
        }
    }

    private sealed record Pending(CatalogueItem Item, string Source, string Text, float[]? Pixels);
}
