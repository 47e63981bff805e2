namespace Streaming.Lab.Simulation;

/// <summary>An item of the simulated shop.</summary>
internal sealed class SimulatedItem
{
    /// <summary>Creates an item that is its own follower.</summary>
    /// <param name="number">Number in order of creation.</param>
    /// <param name="cluster">The item's cluster.</param>
    /// <param name="title">Display title.</param>
    /// <param name="features">Values of the feature group "text"; empty if there is none.</param>
    public SimulatedItem(int number, int cluster, string title, float[] features)
    {
        Number = number;
        Id = $"item-{number:D6}";
        Cluster = cluster;
        Title = title;
        Features = features;
        Follower = this;
    }

    /// <summary>Gets the number in order of creation.</summary>
    public int Number { get; }

    /// <summary>Gets the item's id.</summary>
    public string Id { get; }

    /// <summary>Gets the number of the item's cluster.</summary>
    public int Cluster { get; }

    /// <summary>Gets the display title.</summary>
    public string Title { get; }

    /// <summary>Gets the values of the feature group "text".</summary>
    public float[] Features { get; }

    /// <summary>Gets or sets the item of the cluster that tends to follow this one.</summary>
    public SimulatedItem Follower { get; set; }
}
