using Xunit;

namespace Mesh.DataPlane.Tests.Support;

/// <summary>Tests that must run alone in their process.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
