using System.Globalization;
using System.Text;

namespace Streaming.Lab.Simulation;

/// <summary>Writes a simulated shop to files: events, items and their pictures. The same options give the same bytes.</summary>
/// <param name="options">Options of the shop.</param>
/// <param name="folder">An empty folder, or one that does not exist.</param>
internal sealed class ShopFiles(SimulatorOptions options, string folder)
{
    /// <summary>The time of the first event; one event in ten seconds follows.</summary>
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private const long SecondsBetween = 10;

    private readonly SimulatedShop _shop = new(options);

    /// <summary>Gets the file of events.</summary>
    public string Events => Path.Combine(folder, "events.csv");

    /// <summary>Gets the file of items.</summary>
    public string Items => Path.Combine(folder, "items.csv");

    /// <summary>Writes the files.</summary>
    /// <param name="events">Number of events.</param>
    /// <param name="withPictures">Whether to draw pictures.</param>
    /// <param name="stopping">Stops.</param>
    /// <returns>The number of items.</returns>
    public int Write(long events, bool withPictures, CancellationToken stopping)
    {
        Directory.CreateDirectory(Path.Combine(folder, "pictures"));
        using (var file = new StreamWriter(Events, append: false, new UTF8Encoding(false)))
        {
            file.Write("user,item,type,timestamp\n");
            for (long i = 0; i < events; i++)
            {
                stopping.ThrowIfCancellationRequested();
                (int user, SimulatedItem item, string type) = _shop.Next();
                file.Write(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"user-{user:D6},{item.Id},{type},{Start.ToUnixTimeSeconds() + (SecondsBetween * i)}\n"
                    )
                );
            }
        }

        using (var file = new StreamWriter(Items, append: false, new UTF8Encoding(false)))
        {
            file.Write("item,title,image\n");
            foreach (SimulatedItem item in _shop.Items)
            {
                stopping.ThrowIfCancellationRequested();
                file.Write($"{item.Id},{item.Title},{(withPictures ? WritePicture(item) : string.Empty)}\n");
            }
        }

        return _shop.Items.Count;
    }

    private string WritePicture(SimulatedItem item)
    {
        if (SimulatedDraw.Share(options.Seed, item.Number, SimulatedDraw.NoPicture) < options.NoPictureShare)
        {
            return string.Empty;
        }

        string name = $"pictures/{item.Id}.png";
        File.WriteAllBytes(Path.Combine(folder, name), SimulatedPicture.Draw(item.Cluster, item.Number));
        return name;
    }
}
