using System.Globalization;
using System.IO.Compression;
using System.Text.Json;
using Streaming.Core.Embeddings;
using Streaming.Kernels.Packed;
using Streaming.Models.Slices;
using Streaming.Models.State;
using Streaming.Serving.Search;

namespace Streaming.Benchmarks;

/// <summary>Items and users of a trained model, as written by `streaming export`, for realistic searches.</summary>
internal sealed class TrainedCatalogue
{
    private const int MostUsers = 2000;

    private readonly IndexView _view;
    private readonly List<float[]> _users = [];

    /// <summary>
    /// Reads a folder with tower.safetensors, items.safetensors and items.ids.json, and events as CSV (user,item,…, oldest first).
    /// </summary>
    public TrainedCatalogue(string folder, string events)
    {
        string[] ids = JsonSerializer.Deserialize<string[]>(File.ReadAllBytes(Path.Combine(folder, "items.ids.json")))!;
        var model = SlicedModel.Read(File.ReadAllBytes(Path.Combine(folder, "tower.safetensors")));
        using var items = SafetensorsReader.Open(Path.Combine(folder, "items.safetensors"));
        byte[] bytes = new byte[ids.Length * model.Width * sizeof(float)];
        items.Read(0, 0, bytes);
        ReadOnlySpan<float> vectors = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(bytes);
        VectorTable table = new(model.Model.Widths.Count > 1 ? model.Model.Widths : [16, 32, 64, model.Width], RowElement.Float16);
        for (int i = 0; i < ids.Length; i++)
        {
            table.Set(ids[i], vectors.Slice(i * model.Width, model.Width), new EmbeddingStamp(1, 1, 1, 0));
        }

        _view = new IndexView(1, [model.Width], table);
        Encode(model, Histories(events));
        Name = string.Create(CultureInfo.InvariantCulture, $"{ids.Length:N0} items, {_users.Count:N0} users");
    }

    public string Name { get; }

    /// <summary>Returns the share of the exact search's items that another search finds.</summary>
    public double Share(SearchOptions search, int found)
    {
        Neighbour[] exact = new Neighbour[found],
            best = new Neighbour[found];
        int common = 0;
        foreach (float[] user in _users)
        {
            _view.Search(user, new SearchOptions { Width = search.Width, Cosine = search.Cosine }, exact);
            _view.Search(user, in search, best);
            common += exact.Select(static item => item.Id).Intersect(best.Select(static item => item.Id)).Count();
        }

        return (double)common / (found * _users.Count);
    }

    private static IEnumerable<ulong[]> Histories(string path)
    {
        Dictionary<string, List<ulong>> histories = new(StringComparer.Ordinal);
        using Stream file = File.OpenRead(path);
        using StreamReader lines = new(
            path.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionMode.Decompress) : file
        );
        for (string? line = lines.ReadLine(); (line = lines.ReadLine()) is not null; )
        {
            string[] cells = line.Split(',');
            if (!histories.TryGetValue(cells[0], out List<ulong>? history))
            {
                histories[cells[0]] = history = [];
            }

            history.Add(RedisKeys.Hash(cells[1]));
        }

        return histories.OrderBy(static user => RedisKeys.Hash(user.Key)).Take(MostUsers).Select(static user => user.Value.ToArray());
    }

    private void Encode(SlicedModel model, IEnumerable<ulong[]> histories)
    {
        UserEncoder encoder = model.CreateEncoder();
        foreach (ulong[] history in histories)
        {
            ReadOnlySpan<ulong> newest = history.AsSpan()[Math.Max(0, history.Length - model.Model.HistoryLength)..];
            float[] items = new float[newest.Length * model.Width],
                user = new float[encoder.VectorLength];
            List<string> known = [];
            _view.Read(newest, model.Width, items, known);
            encoder.Encode(items.AsSpan(0, known.Count * model.Width), user);
            _users.Add(user);
        }
    }
}
