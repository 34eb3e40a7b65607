"""Published quantum classifiers, each as its paper has it."""
