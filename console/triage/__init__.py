"""The operator's thinking, without a widget: what is selected, what a launch would do, how a batch is doing."""
