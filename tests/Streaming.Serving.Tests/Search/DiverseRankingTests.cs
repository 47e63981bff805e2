using Streaming.Core.Embeddings;
using Streaming.Core.Items;
using Streaming.Kernels.Packed;
using Streaming.Serving.Filters;
using Streaming.Serving.Search;
using Xunit;

namespace Streaming.Serving.Tests.Search;

public class DiverseRankingTests
{
    private const int Items = 3000;

    private readonly Random _random = new(5);

    [Theory]
    [InlineData("category", 3)]
    [InlineData("category", 1)]
    [InlineData("tags", 2)]
    public void SearchDiverse_LimitPerValue_IsWhatGoingDownTheWholeRankingGives(string field, int limit)
    {
        // Categories follow the vectors, as in a shop, so that the best items are of few.
        AttributeDefinition[] fields = [new("category", AttributeKind.Text), new("tags", AttributeKind.Texts)];
        using VectorTable table = new([8], RowElement.Float32, new AttributeSchema(fields));
        Dictionary<string, string[]> values = [];
        for (int i = 0; i < Items; i++)
        {
            float[] vector = [.. Enumerable.Range(0, 8).Select(_ => _random.NextSingle() - 0.5f)];
            string category = $"c{(int)(vector[0] * 20)}";
            string[] tags = [.. Enumerable.Range(0, _random.Next(4)).Select(j => $"t{(int)(vector[j] * 12)}").Distinct()];
            values[$"item{i}"] =
                field == "tags" ? tags
                : i % 50 == 0 ? []
                : [category];
            string text = i % 50 == 0 ? string.Empty : $"\"category\":\"{category}\",",
                list = string.Join(',', tags.Select(tag => $"\"{tag}\""));
            string json = $"{{{text}\"tags\":[{list}]}}";
            table.Set($"item{i}", vector, new EmbeddingStamp(1, 1, 1, 0), ItemFactsValue.Encode(new(json, 0, 1), 1, 1));
        }

        IndexView view = new(1, [8], table);
        SearchOptions options = new() { Width = 8, Cosine = true };
        float[] query = [3, 1, 0.5f, 0, 0.2f, 0, 0, 0.1f];
        foreach (int count in new[] { 1, 10, 40 })
        {
            var all = new Neighbour[Items];
            view.Search(query, options, all);
            Dictionary<string, int> taken = [];
            List<string> expected = [];
            foreach (string id in all.Select(static item => item.Id).Where(id => expected.Count < count))
            {
                if (expected.Count < count && values[id].All(value => taken.GetValueOrDefault(value) < limit))
                {
                    expected.Add(id);
                    Array.ForEach(values[id], value => taken[value] = taken.GetValueOrDefault(value) + 1);
                }
            }

            Assert.Equal(
                expected,
                view.SearchDiverse(query, options, new ItemDiversity(field, limit), count).Select(static item => item.Id)
            );
        }
    }
}
