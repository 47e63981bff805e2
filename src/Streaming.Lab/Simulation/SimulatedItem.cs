namespace Streaming.Lab.Simulation;

/// <summary>An item of the simulated shop.</summary>
internal sealed class SimulatedItem
{
    /// <summary>Creates an item that follows itself.</summary>
    /// <param name="number">Number in the order of birth.</param>
    /// <param name="cluster">The items that it goes together with.</param>
    /// <param name="title">A name for people.</param>
    /// <param name="features">Values of the feature group "text"; empty when there is none.</param>
    public SimulatedItem(int number, int cluster, string title, float[] features)
    {
        Id = $"item-{number:D6}";
        Cluster = cluster;
        Title = title;
        Features = features;
        Follower = this;
    }

    /// <summary>Gets the item's id.</summary>
    public string Id { get; }

    /// <summary>Gets the number of the item's cluster.</summary>
    public int Cluster { get; }

    /// <summary>Gets a name for people.</summary>
    public string Title { get; }

    /// <summary>Gets the values of the feature group "text".</summary>
    public float[] Features { get; }

    /// <summary>Gets or sets the item of the cluster that tends to come next.</summary>
    public SimulatedItem Follower { get; set; }
}
