using System.Buffers;
using System.Net.Http.Json;
using Grpc.Net.Client;
using Streaming.Worker.Messages;

namespace Streaming.Chaos.Serving;

/// <summary>The requests that are measured, over HTTP and over gRPC: the same questions and, except for their form, the same answers.</summary>
internal sealed class ServingCalls : IDisposable
{
    private const int Found = 20;
    private const int Looked = 100;
    private const int ReadAtOnce = 64 * 1024;
    private readonly HttpClient _http;
    private readonly GrpcChannel _channel;
    private readonly EmbeddingService.EmbeddingServiceClient _client;
    private readonly int _items;

    public ServingCalls(Uri http, Uri grpc, int items)
    {
        _items = items;
        _http = new HttpClient { BaseAddress = http, Timeout = TimeSpan.FromMinutes(1) };
        _channel = GrpcChannel.ForAddress(grpc);
        _client = new EmbeddingService.EmbeddingServiceClient(_channel);
    }

    /// <summary>Gets the requests by name.</summary>
    public IReadOnlyList<(string Name, Func<Random, Task> Send)> Http =>
        [
            ("1 item", random => GetAsync($"/items/{Item(random)}")),
            (
                "100 items",
                async random =>
                {
                    using var request = new HttpRequestMessage(HttpMethod.Post, "/items") { Content = JsonContent.Create(Items(random)) };
                    await SendAsync(request).ConfigureAwait(false);
                }
            ),
            (
                "100 items as Protobuf",
                async random =>
                {
                    using var request = new HttpRequestMessage(HttpMethod.Post, "/items") { Content = JsonContent.Create(Items(random)) };
                    request.Headers.Accept.ParseAdd("application/x-protobuf");
                    using HttpResponseMessage answer = await _http.SendAsync(request).ConfigureAwait(false);
                    Check(
                        GetItemsResponse.Parser.ParseFrom(await answer.Content.ReadAsByteArrayAsync().ConfigureAwait(false)).Items.Count,
                        Looked
                    );
                }
            ),
            ("neighbours", Neighbours),
            ("recommendations", random => GetAsync($"/users/{User(random)}/recommendations?count={Found}")),
        ];

    /// <summary>Gets the same requests over gRPC.</summary>
    public IReadOnlyList<(string Name, Func<Random, Task> Send)> Grpc =>
        [
            ("1 item", async random => Check((await _client.GetItemsAsync(Request(Item(random)))).Items.Count, 1)),
            ("100 items", async random => Check((await _client.GetItemsAsync(Request(Items(random)))).Items.Count, Looked)),
            (
                "neighbours",
                async random =>
                    Check(
                        (await _client.GetNeighboursAsync(new GetNeighboursRequest { Id = Item(random), Count = Found })).Items.Count,
                        Found
                    )
            ),
            (
                "recommendations",
                async random =>
                    Check((await _client.RecommendAsync(new RecommendRequest { User = User(random), Count = Found })).Items.Count, Found)
            ),
        ];

    /// <summary>Asks for an item's neighbours over HTTP.</summary>
    public Task Neighbours(Random random) => GetAsync($"/items/{Item(random)}/neighbours?count={Found}");

    public void Dispose()
    {
        _http.Dispose();
        _channel.Dispose();
    }

    private static GetItemsRequest Request(params string[] ids)
    {
        var request = new GetItemsRequest();
        request.Ids.AddRange(ids);
        return request;
    }

    private static void Check(int found, int wanted)
    {
        if (found != wanted)
        {
            throw new InvalidOperationException($"{found} items were answered instead of {wanted}.");
        }
    }

    /// <summary>Reads an answer as it arrives: an array of its own for each would cost the callers, who share the machine, as much as
    /// the server.</summary>
    private static async Task ReadAsync(HttpResponseMessage answer)
    {
        using Stream body = await answer.Content.ReadAsStreamAsync().ConfigureAwait(false);
        byte[] some = ArrayPool<byte>.Shared.Rent(ReadAtOnce);
        try
        {
            int length = 0;
            for (int read; (read = await body.ReadAsync(some).ConfigureAwait(false)) > 0; length += read) { }

            if (!answer.IsSuccessStatusCode || length < 100)
            {
                throw new InvalidOperationException($"{answer.StatusCode}, {length} bytes: {answer.RequestMessage?.RequestUri}");
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(some);
        }
    }

    private static string User(Random random) => PublishedCatalogue.User(random.Next(PublishedCatalogue.Users));

    private string Item(Random random) => PublishedCatalogue.Id(random.Next(_items));

    private string[] Items(Random random) => [.. Enumerable.Range(0, Looked).Select(_ => Item(random))];

    private async Task GetAsync(string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        await SendAsync(request).ConfigureAwait(false);
    }

    private async Task SendAsync(HttpRequestMessage request)
    {
        using HttpResponseMessage answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).ConfigureAwait(false);
        await ReadAsync(answer).ConfigureAwait(false);
    }
}
